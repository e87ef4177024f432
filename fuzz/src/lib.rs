//! What is fuzzed: every reader of bytes that come from outside. Each function takes any
//! bytes and must return; a panic, a hang or an exhausted memory is the finding.

/// A package, opened as its owner would and checked without keys.
pub fn package(bytes: &[u8]) {
    let hub = satchel_sealed::SigningKey::from_seed(&[1; 32]).verifying_key();
    let device = satchel_sealed::DeviceSecretKey::from_seed(&[3; 32]);
    let header = satchel_sealed::package::inspect(bytes);
    let checked = satchel_sealed::package::verify(bytes, &hub);
    let Ok(header) = header else {
        assert!(checked.is_err(), "what has no header cannot be whole");
        return;
    };
    let opened = satchel_sealed::package::open(bytes, &header.binding, &hub, &device);
    assert!(opened.is_err() || checked.is_ok(), "what opens is signed");
}

/// A signed document.
pub fn signed(bytes: &[u8]) {
    let hub = satchel_sealed::SigningKey::from_seed(&[1; 32]).verifying_key();
    let _ = satchel_sealed::signed::payload_unverified(bytes);
    let _ = satchel_sealed::signed::verify(&hub, satchel_sealed::signed::GRANT, bytes);
}

/// An expression.
pub fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (_, diagnostics) = satchel_syntax::parse_expression(&text);
    for diagnostic in diagnostics {
        assert!(diagnostic.span.end as usize <= text.len());
        let _ = diagnostic.render("expression", &text);
    }
}

/// A load script.
pub fn script(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (_, diagnostics) = satchel_syntax::parse_script(&text);
    for diagnostic in diagnostics {
        assert!(diagnostic.span.end as usize <= text.len());
        let _ = diagnostic.render("script", &text);
    }
}
