//! A language server for load scripts over standard input and output, on the parser that runs
//! them: `satchel-hub script lsp`.
//!
//! Documents are held whole; every request is answered from the last text. Positions are in
//! UTF-16 units, as the protocol has it where nothing else is agreed on.

mod document;

use std::collections::HashMap;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Notification as _,
    PublishDiagnostics,
};
use lsp_types::request::{
    Completion, Formatting, GotoDefinition, HoverRequest, References, Rename, Request as _,
};
use lsp_types::{
    CompletionOptions, CompletionParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DocumentFormattingParams, GotoDefinitionParams, HoverParams,
    HoverProviderCapability, InitializeParams, OneOf, PublishDiagnosticsParams, ReferenceParams,
    RenameParams, ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::document::Document;

/// Serves one editor until it says exit.
///
/// # Errors
/// If standard input or output break, or do not speak the protocol.
pub(crate) fn serve() -> anyhow::Result<()> {
    let (connection, threads) = Connection::stdio();
    let capabilities = serde_json::to_value(ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec!["(".into(), "[".into(), "$".into()]),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    })?;
    let started: InitializeParams = serde_json::from_value(connection.initialize(capabilities)?)?;
    drop(started);
    let mut server = Server {
        documents: HashMap::new(),
    };
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    break;
                }
                let response = server.answer(request);
                connection.sender.send(Message::Response(response))?;
            }
            Message::Notification(notification) => {
                if let Some(out) = server.hear(notification) {
                    connection.sender.send(Message::Notification(out))?;
                }
            }
            Message::Response(_) => {}
        }
    }
    // The threads end when nobody can send to them any more.
    drop(connection);
    threads.join()?;
    Ok(())
}

struct Server {
    documents: HashMap<String, Document>,
}

impl Server {
    fn hear(&mut self, notification: Notification) -> Option<Notification> {
        let (uri, text) = match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let params: DidOpenTextDocumentParams = read(notification.params)?;
                (params.text_document.uri, params.text_document.text)
            }
            DidChangeTextDocument::METHOD => {
                let params: DidChangeTextDocumentParams = read(notification.params)?;
                let last = params.content_changes.into_iter().last()?;
                (params.text_document.uri, last.text)
            }
            DidCloseTextDocument::METHOD => {
                let params: DidCloseTextDocumentParams = read(notification.params)?;
                self.documents.remove(params.text_document.uri.as_str());
                return Some(published(params.text_document.uri, Vec::new()));
            }
            _ => return None,
        };
        let document = Document::new(text);
        let found = document.diagnostics();
        self.documents.insert(uri.as_str().to_owned(), document);
        Some(published(uri, found))
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        let outcome = match request.method.as_str() {
            HoverRequest::METHOD => self.with(request, |d, p: HoverParams| {
                let at = p.text_document_position_params;
                (
                    at.text_document.uri.clone(),
                    d.map(|d| d.hover(at.position)),
                )
            }),
            Completion::METHOD => self.with(request, |d, p: CompletionParams| {
                let at = p.text_document_position;
                (
                    at.text_document.uri.clone(),
                    d.map(|d| d.complete(at.position)),
                )
            }),
            GotoDefinition::METHOD => self.with(request, |d, p: GotoDefinitionParams| {
                let at = p.text_document_position_params;
                let uri = at.text_document.uri;
                (uri.clone(), d.map(|d| d.definition(&uri, at.position)))
            }),
            References::METHOD => self.with(request, |d, p: ReferenceParams| {
                let at = p.text_document_position;
                let uri = at.text_document.uri;
                (uri.clone(), d.map(|d| d.references(&uri, at.position)))
            }),
            Rename::METHOD => self.rename(request),
            Formatting::METHOD => self.with(request, |d, p: DocumentFormattingParams| {
                let step = if p.options.insert_spaces {
                    " ".repeat(p.options.tab_size.min(16) as usize)
                } else {
                    "\t".to_owned()
                };
                (p.text_document.uri, d.map(|d| d.format(&step)))
            }),
            method => Err((
                ErrorCode::MethodNotFound,
                format!("there is no method {method}"),
            )),
        };
        match outcome {
            Ok(value) => Response::new_ok(id, value),
            Err((code, message)) => Response::new_err(id, code as i32, message),
        }
    }

    /// Answers from the document the parameters name.
    fn with<P: DeserializeOwned, A: Serialize>(
        &self,
        request: Request,
        answer: impl Fn(Option<&Document>, P) -> (Uri, Option<A>),
    ) -> Result<Value, (ErrorCode, String)> {
        let uri = (request
            .params
            .pointer("/textDocument/uri")
            .and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned();
        let params: P = parameters(request.params)?;
        let (_, found) = answer(self.documents.get(&uri), params);
        let found = found.ok_or_else(|| unknown(&uri))?;
        serde_json::to_value(found).map_err(|e| (ErrorCode::InternalError, e.to_string()))
    }

    fn rename(&self, request: Request) -> Result<Value, (ErrorCode, String)> {
        let params: RenameParams = parameters(request.params)?;
        let at = params.text_document_position;
        let uri = at.text_document.uri;
        let document = (self.documents.get(uri.as_str())).ok_or_else(|| unknown(uri.as_str()))?;
        let edit = document
            .rename(&uri, at.position, &params.new_name)
            .map_err(|why| (ErrorCode::InvalidParams, why))?;
        serde_json::to_value(edit).map_err(|e| (ErrorCode::InternalError, e.to_string()))
    }
}

fn unknown(uri: &str) -> (ErrorCode, String) {
    (
        ErrorCode::InvalidParams,
        format!("the document {uri} is not open"),
    )
}

fn parameters<P: DeserializeOwned>(params: Value) -> Result<P, (ErrorCode, String)> {
    serde_json::from_value(params).map_err(|e| (ErrorCode::InvalidParams, e.to_string()))
}

/// A notification with wrong parameters is passed over: there is nobody to answer.
fn read<P: DeserializeOwned>(params: Value) -> Option<P> {
    serde_json::from_value(params).ok()
}

fn published(uri: Uri, diagnostics: Vec<lsp_types::Diagnostic>) -> Notification {
    Notification::new(
        PublishDiagnostics::METHOD.to_owned(),
        PublishDiagnosticsParams {
            uri,
            diagnostics,
            version: None,
        },
    )
}
