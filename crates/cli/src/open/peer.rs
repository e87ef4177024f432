//! Whether a connection on loopback comes from the user this program runs as.
//!
//! Linux tells who owns the other end of a connection (`/proc/net/tcp`, proc(5)); elsewhere
//! nothing is known, and the token and the cookie stand alone.

use std::net::SocketAddr;

/// What is known of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The user we run as, or the administrator.
    Ours,
    /// Somebody else.
    Foreign,
    /// The system does not tell.
    Unknown,
}

/// Who connects from `peer` to our `port`.
#[cfg(target_os = "linux")]
pub fn who(peer: SocketAddr, port: u16) -> Peer {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(table), Ok(ourselves)) = (
        std::fs::read_to_string("/proc/net/tcp"),
        std::fs::metadata("/proc/self"),
    ) else {
        return Peer::Unknown;
    };
    match owner(&table, peer.port(), port) {
        Some(uid) if uid == ourselves.uid() || uid == 0 => Peer::Ours,
        Some(_) => Peer::Foreign,
        None => Peer::Unknown,
    }
}

/// Who connects from `peer` to our `port`.
#[cfg(not(target_os = "linux"))]
pub fn who(_peer: SocketAddr, _port: u16) -> Peer {
    Peer::Unknown
}

/// The owner of the socket whose own port is `from` and whose other end is `to`, both on
/// 127.0.0.1.
#[cfg(any(target_os = "linux", test))]
fn owner(table: &str, from: u16, to: u16) -> Option<u32> {
    let (from, to) = (format!("0100007F:{from:04X}"), format!("0100007F:{to:04X}"));
    table.lines().find_map(|line| {
        let mut cells = line.split_ascii_whitespace().skip(1);
        let is_it = cells.next()? == from && cells.next()? == to;
        // State, queues, timer, retransmits, then the user.
        is_it.then(|| cells.nth(4)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1
   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 22222 1
   2: 0100007F:C350 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1001        0 33333 1
";

    #[test]
    fn the_other_end_has_an_owner() {
        assert_eq!(owner(TABLE, 50_000, 8000), Some(1001));
        assert_eq!(owner(TABLE, 50_001, 8000), None);
        assert_eq!(owner("", 50_000, 8000), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_connection_of_our_own_is_ours() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(who(stream.local_addr().unwrap(), port), Peer::Ours);
    }
}
