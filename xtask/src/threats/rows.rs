//! The attacks, and what stands against each. The tests say themselves which row they show.

/// An attack.
pub struct Row {
    pub number: u32,
    pub attack: &'static str,
    /// As the code has it now, not as it is planned.
    pub defence: &'static str,
    pub masvs: &'static str,
    pub asvs: &'static str,
    pub shown: Shown,
}

impl Row {
    pub fn id(&self) -> String {
        format!("T-{:02}", self.number)
    }
}

/// How much of it the tests show.
pub enum Shown {
    /// All of what is promised.
    Whole,
    /// A part; the words say what is missing.
    Partly(&'static str),
    /// Nothing; the words say why, and what it would take.
    #[expect(
        dead_code,
        reason = "every row has its tests now; a new one begins here"
    )]
    NotYet(&'static str),
}
use Shown::{Partly, Whole};

/// Requirements we do not meet, on purpose.
pub const DEVIATIONS: [(&str, &str); 2] = [
    (
        "ASVS 5 V12.2.2, publicly trusted certificates for external services",
        "A hub may have a certificate of a private authority, if the device's system trusts that authority or its owner added it for this one hub. That is the customer's choice; every other check is the same, and none can be switched off.",
    ),
    (
        "ASVS 5 V14.3.3, no sensitive data in browser storage",
        "The browser keeps downloads, because being usable without a connection is what it is for. They are sealed to a key that only a passkey with user verification (WebAuthn PRF) unwraps; a browser without PRF keeps no data.",
    ),
];

const fn row(
    number: u32,
    attack: &'static str,
    defence: &'static str,
    (masvs, asvs): (&'static str, &'static str),
    shown: Shown,
) -> Row {
    Row {
        number,
        attack,
        defence,
        masvs,
        asvs,
        shown,
    }
}

/// All of them, by number.
pub const ROWS: &[Row] = &[
    row(
        1,
        "A locked device is stolen",
        "Downloads are sealed to the device's keys, and those lie in the vault, which a PIN (Argon2id), a passkey's PRF output or a key file opens. Ten wrong PINs destroy the vault.",
        ("STORAGE-1, CRYPTO-2, AUTH-2", "V11.3.2, V11.3.3"),
        Whole,
    ),
    row(
        2,
        "An unlocked device is stolen",
        "The key is dropped after the idle time, at once by locking, and by a clock set back; what was open closes with it. The native client's memory then holds neither keys nor data: what is freed is overwritten. A device that is reported is wiped at its next contact.",
        ("AUTH-2, AUTH-3, PLATFORM-3", "V7.3.1"),
        Whole,
    ),
    row(
        3,
        "A device's storage is cloned to a second device",
        "Packages name their device and open by its keys alone. Where the vault has a key outside its folder (passkey), the folder alone opens nothing. Of a native client's folder that was copied whole, the hub recognises the copy when both have contacted it, and stops both.",
        ("RESILIENCE-1, CRYPTO-2", "V10.3.5"),
        Partly(
            "a copy that never contacts the hub opens what it holds until its lease ends; a browser does not say which grant it keeps.",
        ),
    ),
    row(
        4,
        "An old state of the device is restored",
        "A grant gives its hours once, and an older one is refused; the hub's signed time raises the mark of time seen. A native client's folder that was put back is recognised at its next contact and stopped.",
        ("STORAGE-1, RESILIENCE-1", "V2.3.1"),
        Partly(
            "a whole disk restored together with its clock, before it contacts the hub: no hardware counter is used yet, and SECURITY.md says so.",
        ),
    ),
    row(
        5,
        "The clock is set back or forward, or the device restarted",
        "The lease is a pure function of the wall clock and the latest time ever seen; a clock more than five minutes behind it closes everything until the next log-in.",
        ("AUTH-1", "V7.3.2, V9.2.1"),
        Whole,
    ),
    row(
        6,
        "A person whose rights are gone stays offline",
        "240 hours at most, by the hub's signed grant. At any contact a revoked device hears of it first, and its account, keys and packages go before anything else; a wipe that began comes to its end.",
        ("AUTH-1, STORAGE-1", "V7.4.2, V8.3.2"),
        Whole,
    ),
    row(
        7,
        "An access type is used for what it does not cover",
        "A list of types for each route, deny by default; a route without a rule cannot be built.",
        ("", "V8.2.1, V8.3.1"),
        Whole,
    ),
    row(
        8,
        "An administrator of the hub, or an owner of a stream, looks at data",
        "Section access alone decides who sees rows; no role is asked. The audit log is chained, and every change in it is found.",
        ("", "V8.2.2, V8.4.2, V16.4.2, V2.3.5"),
        Partly(
            "whoever may change a load script can change section access: the audit log shows that it was saved and run, not what changed.",
        ),
    ),
    row(
        9,
        "An interceptor has a certificate the device trusts",
        "The hub's signing key is pinned at enrolment; grants, manifests and packages are signed by it, so that nothing can be forged. What passes can be read.",
        ("NETWORK-1, NETWORK-2", "V12.3.2, V12.1.1, V4.1.5"),
        Whole,
    ),
    row(
        10,
        "An invalid certificate, and “continue anyway”",
        "Every connection is verified: chain, dates (root included), name. There is no switch. Nothing is sent before the handshake is over.",
        ("NETWORK-1", "V3.4.1, V3.7.4"),
        Whole,
    ),
    row(
        11,
        "TLS is downgraded",
        "TLS 1.2 and 1.3 only, on the hub and in the client.",
        ("NETWORK-1", "V12.1.1, V12.1.2"),
        Whole,
    ),
    row(
        12,
        "A package is changed, cut, reordered, swapped or replayed",
        "Chunks are authenticated with their number and the last one marked; the header binds hub, user, device and app; the hub signs it; an older reload does not replace a newer one.",
        ("CRYPTO-1, CODE-4, RESILIENCE-2", "V11.3.3, V11.3.4, V9.1.1"),
        Whole,
    ),
    row(
        13,
        "A reduction that hides rows instead of removing them",
        "A download is built anew from the rows its person may see.",
        ("STORAGE-2", "V8.2.2, V14.2.6"),
        Whole,
    ),
    row(
        14,
        "Symbol tables, order, sizes or counts tell of hidden rows",
        "Everything of a view is numbered and counted from its visible rows alone; masked and reduced are the same.",
        ("", "V8.2.3, V15.3.1"),
        Whole,
    ),
    row(
        15,
        "Associative states, search or sort order tell of hidden rows",
        "The engine holds a view, and a view has nothing else.",
        ("", "V8.2.2"),
        Whole,
    ),
    row(
        16,
        "Set analysis, TOTAL, Aggr or variables reach around the reduction",
        "They are evaluated on the view. What a load script computed into a variable is everybody's, as its author wrote it.",
        ("", "V8.2.2"),
        Partly(
            "more than half of the random expressions that are compared end in errors, not values.",
        ),
    ),
    row(
        17,
        "A withheld field is asked for by another way",
        "It does not exist in the view: an expression, a search, a selection and a list answer as for a name nobody ever used.",
        ("", "V8.2.3, V16.5.1, V6.3.8"),
        Whole,
    ),
    row(
        18,
        "A cache gives one person another's answer",
        "Caches belong to a view; people share one only if they see the same.",
        ("", "V14.2.2, V14.2.5, V14.3.2"),
        Whole,
    ),
    row(
        19,
        "Bookmarks, exports or shared links hold another's data",
        "A bookmark is selections, and names only values its reader may see; an export is made of its reader's view and served once, to their log-in.",
        ("", "V8.3.3"),
        Whole,
    ),
    row(
        20,
        "Errors, logs or dumps leak",
        "Secrets have no `Display` and an empty `Debug`; errors name codes and places, never cell values or passwords.",
        ("STORAGE-2", "V16.2.5, V16.5.1"),
        Partly(
            "a dump of the hub's memory, which holds what was open in it and is the system's to forbid.",
        ),
    ),
    row(
        21,
        "Time or size of an answer tells",
        "Unknown people and wrong passwords get the same answer after the same work.",
        ("", "V11.2.4, V6.3.8"),
        Partly("no statistics over response times; sizes of packages follow what is in them."),
    ),
    row(
        22,
        "Strict exclusion is read wrongly",
        "No matching row, no data; one corpus of worked examples holds masked and reduced.",
        ("", "V8.1.1, V8.2.2"),
        Whole,
    ),
    row(
        23,
        "A failed reload drops section access or publishes half an app",
        "A reload is written whole and switched to in one transaction; one that would drop or misspell section access waits for its owner.",
        ("", "V2.3.3, V16.5.3"),
        Whole,
    ),
    row(
        24,
        "Rights change while a session or download runs",
        "Rights are looked at when an app is opened, when a download is prepared, and at each contact of a device.",
        ("", "V8.3.2, V15.4.2"),
        Partly(
            "interleavings are not searched; who has an app open keeps it until the session ends.",
        ),
    ),
    row(
        25,
        "A load script reaches what it must not",
        "Files inside allowed folders; databases and sites by connections; addresses are checked after DNS and at each redirect; no EXECUTE.",
        ("CODE-4", "V1.2.5, V1.3.6, V13.2.4, V13.2.5, V5.3.2"),
        Whole,
    ),
    row(
        26,
        "SQL injection through fields or scripts",
        "A query is read before it is sent, and only one that reads goes, in a transaction that cannot write.",
        ("", "V1.2.4"),
        Whole,
    ),
    row(
        27,
        "A foreign page opens a WebSocket",
        "Exactly our own origins; a client that is no page cannot pretend to be one.",
        ("", "V4.4.1, V4.4.2, V4.4.3, V4.4.4"),
        Whole,
    ),
    row(
        28,
        "A foreign page sends requests, or frames ours",
        "Fetch metadata and origin on all that changes something; SameSite cookies; frame-ancestors.",
        ("", "V3.3.1, V3.5.1, V3.5.2, V3.5.3, V3.4.6"),
        Whole,
    ),
    row(
        29,
        "Field values, titles or scripts run as code in the page",
        "Text nodes only, and a content security policy without inline script.",
        ("PLATFORM-2", "V1.2.1, V3.2.1, V3.2.2, V3.4.3, V3.5.4"),
        Partly(
            "payloads through every chart and export in a browser; Trusted Types and a sandboxed origin for extensions are not there.",
        ),
    ),
    row(
        30,
        "A spreadsheet runs an exported value",
        "Text that begins a formula is made harmless.",
        ("", "V1.2.10"),
        Whole,
    ),
    row(
        31,
        "Bombs: zip, xlsx, Parquet, QVD, XML",
        "Limits of size, ratio and entries before memory is taken; no DTD.",
        ("", "V5.2.1, V5.2.2, V5.2.3, V1.5.1"),
        Whole,
    ),
    row(
        32,
        "Oversize hypercubes, frames and nesting",
        "Limits of pages, frames, bodies and depth, each with its own error.",
        ("", "V4.3.1, V15.2.2"),
        Whole,
    ),
    row(
        33,
        "Expressions or scripts without an end",
        "A budget of time, rows and bytes in everything a person can start; a cancel is seen in all loops.",
        ("", "V15.1.3, V15.2.2, V1.3.12, V15.4.4"),
        Partly("what hostile expressions cost other people is not measured."),
    ),
    row(
        34,
        "Passwords are sprayed, stuffed or names enumerated",
        "Attempts are counted by account and address, in a way that locks nobody out from elsewhere; hashing is bounded.",
        ("", "V6.3.1, V6.3.8, V11.4.2"),
        Whole,
    ),
    row(
        35,
        "A session is fixed, stolen or outlives its log-out",
        "A new opaque token at each log-in, only its hash kept; idle and absolute ends; a log-out or a new password ends it at the hub and closes its sockets.",
        ("", "V7.2.1, V7.2.2, V7.2.3, V7.2.4, V7.4.1, V7.4.2"),
        Whole,
    ),
    row(
        36,
        "OpenID Connect: mix-up, nonce, linking by e-mail",
        "Authorisation code with PKCE; state, nonce, issuer, audience, times and signature to the letter; each sign-in works once; people are linked by issuer and subject, never by a name or an address.",
        ("", "V6.8.1, V6.8.2, V10.2.1, V10.5.1"),
        Whole,
    ),
    row(
        37,
        "A challenge is used late or twice",
        "A challenge is taken in one transaction, once, within a minute.",
        ("", "V6.7.2, V15.4.2"),
        Whole,
    ),
    row(
        38,
        "A malicious file attacks the client's readers",
        "No unsafe code in readers, lengths checked before memory is taken; seeds of every fuzz target run with the tests.",
        ("CODE-4", "V1.5.2"),
        Whole,
    ),
    row(
        39,
        "Client, container or app are downgraded",
        "Formats carry their number, and a newer one is refused by name; an older reload or policy does not replace a newer one; policy may demand a least version of the client.",
        ("CODE-2, RESILIENCE-2", "V9.2.2"),
        Whole,
    ),
    row(
        40,
        "The hub serves pages that steal keys",
        "A strict content security policy; the service worker keeps the files of one build, each checked against its hash. The first visit trusts the hub.",
        ("", "V3.6.1"),
        Partly(
            "a flipped byte in each file a hub serves; the list of hashes is not signed, as it comes from the hub as well.",
        ),
    ),
    row(
        41,
        "Screenshots, backups and keyboards keep data",
        "State and session are readable by their owner only; keys between two commands lie in memory-backed storage.",
        ("STORAGE-2, PLATFORM-3", ""),
        Partly("there is no build for Android or iOS yet, and so no manifest to look at."),
    ),
    row(
        42,
        "Links or schemes steal a log-in",
        "The client registers no scheme. Its pages on loopback let in one browser, by a token that works once and that the browser is told in a file only its owner reads; on Linux a connection that is not found to be the same user's is refused.",
        ("PLATFORM-1", "V10.4.6"),
        Whole,
    ),
    row(
        43,
        "Managed configuration is used to inject a hub",
        "Only a file that root alone may write counts, and what it says is merged so that it loosens nothing the hub says. Addresses begin with https:// and hold nothing but host and port; each connection passes every check.",
        ("CODE-4, PLATFORM-1", ""),
        Whole,
    ),
    row(
        44,
        "A full disk, or a browser that evicts storage",
        "Every write is whole or not there; a full disk is said and costs nothing.",
        ("STORAGE-1", ""),
        Partly("eviction by a browser is not provoked."),
    ),
    row(
        45,
        "Accesses that leave no trace",
        "Log-ins, refusals, downloads, exports and changes go to an audit log that is chained; every kind of tampering is found.",
        ("", "V16.2.1, V16.3.1, V16.3.2, V16.3.3, V16.4.1"),
        Partly("use without a connection is not recorded."),
    ),
];
