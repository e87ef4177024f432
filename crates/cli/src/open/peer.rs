//! Whether a connection on loopback comes from the user this program runs as.
//!
//! Linux tells who owns the other end of a connection (`/proc/net/tcp` and `/proc/net/tcp6`,
//! proc(5)), and there whoever is not found is a stranger. Elsewhere nothing is known, and the
//! token and the cookie stand alone.

use std::net::SocketAddr;
#[cfg(any(target_os = "linux", test))]
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

/// What is known of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The user we run as, or the administrator.
    Ours,
    /// Somebody else, or nobody that the system knows of.
    Foreign,
    /// The system does not tell.
    #[cfg(not(target_os = "linux"))]
    Unknown,
}

/// A connection that was just made is listed before we can accept it. But the list is read in
/// pieces, and one can be missed while others around it end: it is looked for this often.
#[cfg(target_os = "linux")]
const LOOKS: usize = 3;

/// Who connects from `peer` to our `port` of 127.0.0.1.
#[cfg(target_os = "linux")]
pub fn who(peer: SocketAddr, port: u16) -> Peer {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(ourselves) = std::fs::metadata("/proc/self") else {
        return Peer::Foreign;
    };
    let is_ours = |uid| uid == ourselves.uid() || uid == 0;
    // A socket of either family reaches us, and each is listed in its family's table only. A
    // table that is not there lists nobody.
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let mut looks = tables.iter().cycle().take(tables.len() * LOOKS);
    let found = looks.find_map(|table| {
        let table = std::fs::read_to_string(table).ok()?;
        owner(&table, peer, port)
    });
    if found.is_some_and(is_ours) {
        Peer::Ours
    } else {
        Peer::Foreign
    }
}

/// Who connects from `peer` to our `port`.
#[cfg(not(target_os = "linux"))]
pub fn who(_peer: SocketAddr, _port: u16) -> Peer {
    Peer::Unknown
}

/// The owner of the established socket that is bound to `peer` and whose other end is `port` of
/// 127.0.0.1, both addresses exactly.
///
/// A socket that its owner has closed is nobody's any more, and is listed as the
/// administrator's: it is not established, and so not found.
#[cfg(any(target_os = "linux", test))]
fn owner(table: &str, peer: SocketAddr, port: u16) -> Option<u32> {
    let from = match peer.ip().to_canonical() {
        IpAddr::V4(from) => SocketAddrV4::new(from, peer.port()),
        // We listen where only IPv4 arrives.
        IpAddr::V6(_) => return None,
    };
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let (from, to) = (spellings(from), spellings(to));
    table.lines().find_map(|line| {
        let mut cells = line.split_ascii_whitespace().skip(1);
        let (local, remote) = (cells.next()?, cells.next()?);
        let is_it = from.iter().zip(&to).any(|(f, t)| local == f && remote == t);
        let is_established = cells.next()? == "01";
        // Queues, timer, retransmits, then the user.
        (is_it && is_established).then(|| cells.nth(3)?.parse().ok())?
    })
}

/// An address as the tables spell it: as IPv4, and mapped into IPv6 (RFC 4291 §2.5.5.2). Each
/// group of four bytes is a number of the machine's own byte order.
#[cfg(any(target_os = "linux", test))]
fn spellings(address: SocketAddrV4) -> [String; 2] {
    let group = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let (ip, port) = (group(address.ip().octets()), address.port());
    let mapped = [group([0; 4]), group([0; 4]), group([0, 0, 0xFF, 0xFF])].concat();
    [
        format!("{ip}:{port:04X}"),
        format!("{mapped}{ip}:{port:04X}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    mod tables {
        use super::*;

        const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1
   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 22222 1
   2: 0100007F:C350 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1001        0 33333 1
   3: 0200007F:C350 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1002        0 33334 1
   4: 0100007F:C351 0200007F:1F40 01 00000000:00000000 00:00000000 00000000  1003        0 33335 1
   5: 0100007F:C352 0100007F:1F40 04 00000000:00000000 00:00000000 00000000     0        0 0 1
   6: 0100007F:C353 0100007F:1F40 06 00000000:00000000 03:00000000 00000000     0        0 0 3
";
        const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:C354 00000000000000000000000001000000:1F40 01 00000000:00000000 00:00000000 00000000  1004        0 44444 1
   1: 0000000000000000FFFF00000100007F:C354 0000000000000000FFFF00000100007F:1F40 01 00000000:00000000 00:00000000 00000000  1005        0 44445 1
   2: 0000000000000000FFFF00000300007F:C354 0000000000000000FFFF00000100007F:1F40 01 00000000:00000000 00:00000000 00000000  1006        0 44446 1
";

        #[track_caller]
        fn check(table: &str, peer: &str, want: Option<u32>) {
            assert_eq!(owner(table, peer.parse().unwrap(), 8000), want, "{peer}");
        }

        #[test]
        fn the_other_end_has_an_owner() {
            check(TCP, "127.0.0.1:50000", Some(1001));
            check(TCP, "[::ffff:127.0.0.1]:50000", Some(1001));
            check("", "127.0.0.1:50000", None);
        }

        // threat: T-42
        #[test]
        fn every_address_of_loopback_is_told_from_the_others() {
            check(TCP, "127.0.0.2:50000", Some(1002));
            check(TCP, "127.0.0.3:50000", None);
            check(TCP, "127.0.0.1:50001", None);
            check(TCP6, "127.0.0.1:50004", Some(1005));
            check(TCP6, "127.0.0.3:50004", Some(1006));
            check(TCP6, "[::1]:50004", None);
        }

        // threat: T-42
        #[test]
        fn a_socket_somebody_closed_is_not_the_administrators() {
            check(TCP, "127.0.0.1:50002", None);
            check(TCP, "127.0.0.1:50003", None);
        }
    }

    #[cfg(target_os = "linux")]
    mod sockets {
        use std::net::TcpListener;

        use tokio::net::{TcpSocket, TcpStream};

        use super::*;

        /// What we know of a connection from `from`, by a socket of its family, to a port of
        /// 127.0.0.1 that it names `to`.
        fn check(from: &str, to: &str, want: Peer) {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let from: SocketAddr = from.parse().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let stream: TcpStream = runtime.block_on(async {
                let socket = if from.is_ipv6() {
                    TcpSocket::new_v6()
                } else {
                    TcpSocket::new_v4()
                };
                let socket = socket.unwrap();
                socket.bind(from).unwrap();
                let to = SocketAddr::new(to.parse().unwrap(), port);
                socket.connect(to).await.unwrap()
            });
            let (_accepted, peer) = listener.accept().unwrap();
            assert_eq!(who(peer, port), want, "{from}");
            drop(stream);
            // Whatever the system still lists of it.
            assert_eq!(who(peer, port), Peer::Foreign, "{from}, closed");
        }

        #[test]
        fn a_connection_of_our_own_is_ours() {
            check("127.0.0.1:0", "127.0.0.1", Peer::Ours);
            check("127.0.0.2:0", "127.0.0.1", Peer::Ours);
        }

        #[test]
        fn a_connection_by_ipv6_is_found_too() {
            let has_ipv6 = std::net::UdpSocket::bind("[::1]:0").is_ok();
            if has_ipv6 {
                check("[::ffff:127.0.0.1]:0", "::ffff:127.0.0.1", Peer::Ours);
                check("[::ffff:127.9.8.7]:0", "::ffff:127.0.0.1", Peer::Ours);
            }
        }

        // threat: T-42
        #[test]
        fn who_is_not_found_is_foreign() {
            let nobody = "127.0.0.1:1".parse().unwrap();
            assert_eq!(who(nobody, 2), Peer::Foreign);
        }
    }
}
