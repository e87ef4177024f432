//! A certificate authority for development, and a hub certificate signed by it.
//!
//! For demos and tests on one's own machine only: the CA's key lies unprotected beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// Makes `ca.pem`, `hub.pem` and `hub.key` in `folder` unless they are there and good for
/// another week. The hub certificate names `localhost`, `127.0.0.1` and `::1`. In `clients` lie
/// what API clients of the engine's port want: `root.pem`, `client.pem` and `client_key.pem`,
/// and `ca.pem`, the CA of the client's certificate.
pub fn ensure(folder: &Path) -> Result<()> {
    let made = folder.join("made");
    let now = OffsetDateTime::now_utc();
    let fresh = fs::read_to_string(&made)
        .ok()
        .and_then(|t| t.trim().parse::<i64>().ok())
        .is_some_and(|t| now.unix_timestamp() - t < 80 * 86_400);
    if fresh && folder.join("hub.key").exists() && folder.join("clients/ca.pem").exists() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;

    let (ca_certificate, issuer) = authority("Satchel development CA", now)?;

    let hub_key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut hub = CertificateParams::new(names)?;
    hub.distinguished_name
        .push(DnType::CommonName, "Satchel development hub");
    hub.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    hub.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    hub.use_authority_key_identifier_extension = true;
    hub.not_before = now - Duration::days(1);
    hub.not_after = now + Duration::days(90);
    let hub_certificate = hub.signed_by(&hub_key, &issuer)?;

    fs::write(folder.join("ca.pem"), ca_certificate.pem())?;
    fs::write(folder.join("hub.pem"), hub_certificate.pem())?;
    write_private(&folder.join("hub.key"), &hub_key.serialize_pem())?;
    clients(&folder.join("clients"), &ca_certificate.pem(), now)?;
    fs::write(made, now.unix_timestamp().to_string())?;
    Ok(())
}

/// A CA that lasts a year, and what signs with it.
fn authority(name: &str, now: OffsetDateTime) -> Result<(Certificate, Issuer<'static, KeyPair>)> {
    let key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, name);
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.not_before = now - Duration::days(1);
    ca.not_after = now + Duration::days(365);
    let certificate = ca.self_signed(&key)?;
    Ok((certificate, Issuer::new(ca, key)))
}

/// A CA of its own for clients, which signs nothing else, and a certificate of it.
fn clients(folder: &Path, root: &str, now: OffsetDateTime) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let (ca_certificate, issuer) = authority("Satchel development CA for API clients", now)?;
    let key = KeyPair::generate()?;
    let mut client = CertificateParams::default();
    client
        .distinguished_name
        .push(DnType::CommonName, "Satchel development API client");
    client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    client.not_before = now - Duration::days(1);
    client.not_after = now + Duration::days(90);
    let certificate = client.signed_by(&key, &issuer)?;
    fs::write(folder.join("root.pem"), root)?;
    fs::write(folder.join("client.pem"), certificate.pem())?;
    write_private(&folder.join("client_key.pem"), &key.serialize_pem())?;
    fs::write(folder.join("ca.pem"), ca_certificate.pem())?;
    Ok(())
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
