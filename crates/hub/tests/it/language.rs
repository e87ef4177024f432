//! The language server, as an editor talks to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

const URI: &str = "file:///work/load.qvs";

/// A session with the server.
struct Editor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: i64,
}

impl Editor {
    fn open(text: &str) -> (Self, Value) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_satchel-hub"))
            .args(["script", "lsp"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut editor = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            id: 0,
        };
        let answer = editor.ask(
            "initialize",
            json!({ "capabilities": {}, "processId": null, "rootUri": null }),
        );
        assert_eq!(answer["capabilities"]["renameProvider"], true, "{answer}");
        editor.tell("initialized", json!({}));
        let document = json!({ "uri": URI, "languageId": "qvs", "version": 1, "text": text });
        editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
        let found = editor.heard("textDocument/publishDiagnostics");
        (editor, found)
    }

    fn write(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            if let Some(n) = line.strip_prefix("Content-Length: ") {
                length = n.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn heard(&mut self, method: &str) -> Value {
        let message = self.read();
        assert_eq!(message["method"], method, "{message}");
        message["params"].clone()
    }

    fn send(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params }));
        let message = self.read();
        assert_eq!(message["id"], self.id, "{message}");
        message
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let message = self.send(method, params);
        assert!(message.get("error").is_none(), "{message}");
        message["result"].clone()
    }

    /// A question about a place: line and column, both from 0.
    fn at(&mut self, method: &str, line: u32, character: u32, more: Value) -> Value {
        let mut params = json!({
            "textDocument": { "uri": URI },
            "position": { "line": line, "character": character },
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.ask(method, params)
    }

    fn close(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

const SCRIPT: &str = "SET vPath = 'lib://data';
Sales:
LOAD Region, Amount * 2 AS [Double Amount]
FROM [$(vPath)/sales.csv] (txt);
SUB check(t)
LET n = NoOfRows('Sales');
IF n > 0 THEN
TRACE ok;
END IF
END SUB
CALL check('Sales');
Big: LOAD [Double Amount], Region RESIDENT Sales WHERE [Double Amount] > 5;
DROP TABLE Sales;
";

/// `line:from-to` of each range.
fn places(found: &Value) -> Vec<String> {
    let range = |r: &Value| {
        let of = |end: &str, part: &str| r[end][part].as_u64().unwrap();
        format!(
            "{}:{}-{}",
            of("start", "line"),
            of("start", "character"),
            of("end", "character")
        )
    };
    (found.as_array().unwrap().iter())
        .map(|l| range(&l["range"]))
        .collect()
}

#[test]
fn an_editor_is_served() {
    let (mut editor, found) = Editor::open(SCRIPT);
    assert_eq!(found["diagnostics"], json!([]), "{found}");

    // Where things are made: a variable, a sub, a table in a text, a field.
    for (line, column, want) in [
        (3, 10, "0:4-9"),
        (10, 6, "4:4-9"),
        (5, 20, "1:0-5"),
        (11, 60, "2:27-42"),
    ] {
        let made = editor.at("textDocument/definition", line, column, json!({}));
        assert_eq!(places(&made), [want], "{line}:{column}");
    }
    let used = editor.at(
        "textDocument/references",
        12,
        12,
        json!({ "context": { "includeDeclaration": true } }),
    );
    assert_eq!(places(&used), ["1:0-5", "5:17-24", "11:43-48", "12:11-16"]);

    let hover = editor.at("textDocument/hover", 3, 9, json!({}));
    let told = hover["contents"]["value"].as_str().unwrap();
    assert!(
        told.contains("variable `vPath`, line 1") && told.contains("lib://data"),
        "{told}"
    );

    let list = editor.at("textDocument/completion", 12, 0, json!({}));
    let labels: Vec<&str> = (list.as_array().unwrap().iter())
        .map(|i| i["label"].as_str().unwrap())
        .collect();
    for label in [
        "Sales",
        "Double Amount",
        "check",
        "vPath",
        "Sum",
        "RESIDENT",
    ] {
        assert!(labels.contains(&label), "{label} in {labels:?}");
    }

    // Renamed everywhere, in the quotes that are there.
    let edit = editor.at("textDocument/rename", 11, 14, json!({ "newName": "Twice" }));
    let edits = &edit["changes"][URI];
    assert_eq!(places(edits), ["2:27-42", "11:10-25", "11:55-70"]);
    assert_eq!(edits[0]["newText"], "[Twice]");
    let refused = editor.send(
        "textDocument/rename",
        json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 5 }, "newName": "a b" }),
    );
    assert_eq!(refused["error"]["code"], -32602, "{refused}");

    let edits = editor.ask(
        "textDocument/formatting",
        json!({ "textDocument": { "uri": URI }, "options": { "tabSize": 2, "insertSpaces": true } }),
    );
    let formatted = edits[0]["newText"].as_str().unwrap();
    assert!(
        formatted.contains("SUB check(t)\n  LET n = NoOfRows('Sales');\n  IF n > 0 THEN\n    TRACE ok;\n  END IF\nEND SUB\n"),
        "{formatted}"
    );
    assert!(formatted.contains("LOAD Region, Amount * 2 AS [Double Amount]\nFROM ["));

    // What is typed is judged at once; positions count as editors count.
    let broken = "// ä😀\nDROP Sales;";
    editor.tell(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": URI, "version": 2 }, "contentChanges": [{ "text": broken }] }),
    );
    let found = editor.heard("textDocument/publishDiagnostics");
    assert_eq!(places(&found["diagnostics"]), ["1:5-10"]);
    assert_eq!(found["diagnostics"][0]["code"], "script.unexpected_token");
    let unknown = editor.send("textDocument/unheardOf", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    editor.close();
}
