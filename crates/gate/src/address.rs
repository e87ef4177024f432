//! Ranges of addresses, as an administrator writes them.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    first: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Whether an address is in the range. An IPv4 address written as IPv6 is that address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => same(
                first.to_bits().into(),
                address.to_bits().into(),
                32 - u32::from(self.prefix),
            ),
            (IpAddr::V6(first), IpAddr::V6(address)) => same(
                first.to_bits(),
                address.to_bits(),
                128 - u32::from(self.prefix),
            ),
            _ => false,
        }
    }
}

/// Whether two addresses are the same but for so many bits at the end.
fn same(one: u128, other: u128, free_bits: u32) -> bool {
    (one ^ other).checked_shr(free_bits).unwrap_or(0) == 0
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is no address and no range such as 10.0.0.0/8");
        let (first, prefix) = match text.split_once('/') {
            Some((first, prefix)) => (first, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| bad())?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| bad())?,
            None => longest,
        };
        if prefix > longest {
            return Err(bad());
        }
        if prefix == 0 {
            return Err(format!("'{text}' is every address there is"));
        }
        Ok(Self { first, prefix })
    }
}

impl TryFrom<String> for AddressRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        format!("{}/{}", range.first, range.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_range() {
        let contains = |range: &str, address: &str| {
            let range: AddressRange = range.parse().expect("a range");
            range.contains(address.parse().expect("an address"))
        };
        assert!(contains("10.1.2.3", "10.1.2.3") && contains("10.1.2.3", "::ffff:10.1.2.3"));
        assert!(!contains("10.1.2.3", "10.1.2.4"));
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1") && !contains("::/1", "10.0.0.1"));
        for bad in [
            "",
            "10",
            "10.0.0.0/33",
            "::/129",
            "0.0.0.0/0",
            "a/8",
            "10.0.0.0/-1",
        ] {
            assert!(bad.parse::<AddressRange>().is_err(), "{bad}");
        }
    }
}
