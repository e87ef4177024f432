//! How long a device may open downloads without contact.

use satchel_contract::{AccessType, MAX_OFFLINE_HOURS};

/// Hours a grant is good for: what the hub's policy says, never more than 240, and none at
/// all for an access type that may not connect from a device.
pub fn offline_hours(policy_hours: u16, have: AccessType) -> u16 {
    if have.may_use_device() {
        policy_hours.min(MAX_OFFLINE_HOURS)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: T-06
    #[test]
    fn policy_shortens_and_never_lengthens() {
        assert_eq!(offline_hours(72, AccessType::Analyzer), 72);
        assert_eq!(offline_hours(u16::MAX, AccessType::Professional), 240);
        assert_eq!(offline_hours(0, AccessType::User), 0);
        for other in [
            AccessType::AnalyzerCapacity,
            AccessType::Login,
            AccessType::Anonymous,
            AccessType::None,
        ] {
            assert_eq!(offline_hours(240, other), 0);
        }
    }
}
