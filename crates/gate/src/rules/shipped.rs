//! The rules every hub begins with.

use super::{Action, Place, Rule, RuleKind};

/// The rules every hub begins with, in the order they are listed.
pub fn shipped_rules() -> Vec<Rule> {
    use Action::*;
    let all = &Action::ALL[..];
    let rule = |name: &str,
                kind,
                filter: &str,
                actions: &[Action],
                places: &[Place],
                when: &str,
                what: &str| Rule {
        name: name.into(),
        description: what.into(),
        kind,
        filter: filter.into(),
        actions: actions.to_vec(),
        places: places.to_vec(),
        condition: when
            .parse()
            .expect("the shipped conditions parse, as a test shows"),
    };
    use RuleKind::{Default, Fixed};
    vec![
        rule(
            "RootAdmin",
            Fixed,
            "*",
            all,
            &[],
            r#"user.roles = "RootAdmin""#,
            "Everything. Data in apps is still decided by section access.",
        ),
        rule(
            "ContentAdmin",
            Default,
            "App_*, Stream_*",
            all,
            &[],
            r#"user.roles = "ContentAdmin""#,
            "Apps and streams of everybody.",
        ),
        rule(
            "SecurityAdmin",
            Default,
            "User_*, Rule_*, SignIn_*, Stream_*, Connection_*",
            &[Create, Read, Update, Delete, ChangeRole],
            &[Place::Admin],
            r#"user.roles = "SecurityAdmin""#,
            "People, rules, ways to sign in, and whom streams and connections are for.",
        ),
        rule(
            "SecurityAdminApps",
            Default,
            "App_*",
            &[Read, ChangeOwner],
            &[Place::Admin],
            r#"user.roles = "SecurityAdmin""#,
            "That apps are there, and whose they are.",
        ),
        rule(
            "DeploymentAdmin",
            Default,
            "Device_*, Licence_*, Certificate_*, Policy_*, Connection_*",
            all,
            &[Place::Admin],
            r#"user.roles = "DeploymentAdmin""#,
            "Devices, access types, certificates and connections.",
        ),
        rule(
            "DeploymentAdminApps",
            Default,
            "App_*",
            &[Read, Update],
            &[Place::Admin],
            r#"user.roles = "DeploymentAdmin""#,
            "To reload apps.",
        ),
        rule(
            "AuditAdmin",
            Default,
            "*",
            &[Read],
            &[Place::Admin],
            r#"user.roles = "AuditAdmin""#,
            "See how the hub is set up and what was done.",
        ),
        rule(
            "Owner",
            Default,
            "App_*",
            all,
            &[],
            "resource.owner = user.id",
            "Whoever owns an app does with it what they like.",
        ),
        rule(
            "StreamAudience",
            Default,
            "Stream_*",
            &[Read],
            &[Place::Hub],
            r#"resource.audience = "*" or resource.audience = user.id or resource.audience = user.groups"#,
            "Streams are for those they are set up for.",
        ),
        rule(
            "Stream",
            Default,
            "App_*",
            &[Read],
            &[Place::Hub],
            r#"resource.stream.HasPrivilege("read")"#,
            "Who sees a stream sees its apps.",
        ),
        rule(
            "ExportData",
            Default,
            "App_*",
            &[ExportData],
            &[Place::Hub],
            r#"resource.stream.HasPrivilege("read")"#,
            "Who sees a stream may export data of its apps.",
        ),
        rule(
            "AccessOffline",
            Default,
            "App_*",
            &[AccessOffline],
            &[Place::Hub],
            r#"resource.stream.HasPrivilege("read")"#,
            "Who sees a stream may carry its apps on a device.",
        ),
    ]
}
