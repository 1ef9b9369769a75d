//! A URL that requests go to, and how.

use super::{
    grpc::Call,
    tls::{Tls, Trust},
};
use hyper::{
    Uri,
    header::HeaderValue,
    http::uri::{Authority, PathAndQuery},
};
use tokio_rustls::rustls::pki_types::ServerName;

/// The schemes of a URL, without and with TLS.
pub(crate) type Schemes = [&'static str; 2];
pub(crate) const HTTP: Schemes = ["http", "https"];
pub(crate) const WEBSOCKET: Schemes = ["ws", "wss"];

/// Where requests go.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    /// Host and port to connect to.
    pub(crate) address: String,
    /// The URL as the target of HTTP/2 requests.
    pub(super) absolute: Uri,
    /// The target of HTTP/1.1 requests.
    pub(super) path: Uri,
    pub(super) host: HeaderValue,
    /// The configurations and the name in the certificate, with TLS.
    pub(super) tls: Option<(Tls, ServerName<'static>)>,
    /// The target and the call of gRPC clients.
    pub(crate) call: Option<(Uri, Call)>,
}

impl Endpoint {
    /// # Errors
    /// The URL is wrong, or the trusted certificates cannot be read.
    pub(crate) fn new(url: &str, trust: &Trust, call: Option<&Call>) -> Result<Self, String> {
        let (uri, authority) = parse(url)?;
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let tls = match is_secure(&uri) {
            true => Some((trust.tls()?, server_name(&authority)?)),
            false => None,
        };
        let call = call.map(|call| {
            let mut parts = uri.clone().into_parts();
            parts.path_and_query = Some(format!("/{}", call.method).parse().map_err(|error| format!("{error}"))?);
            let target = Uri::from_parts(parts).map_err(|error| error.to_string())?;
            Ok::<_, String>((target, call.clone()))
        });
        Ok(Self {
            url: url.to_owned(),
            address: address(&uri, &authority),
            path: path.parse().map_err(|error| format!("{error}"))?,
            host: authority.as_str().parse().map_err(|error| format!("{error}"))?,
            tls,
            call: call.transpose()?,
            absolute: uri,
        })
    }

    /// The name that a certificate of the host must have.
    pub(super) fn server_name(&self) -> Option<ServerName<'static>> {
        server_name(self.absolute.authority()?).ok()
    }

    /// The port that is not written in the URL, but follows from its scheme.
    pub(crate) fn default_port(&self) -> Option<u16> {
        let is_written = self.absolute.port().is_some();
        (!is_written).then(|| default_port(&self.absolute))
    }
}

/// Checks a URL and returns its host and port.
///
/// # Errors
/// What is wrong, and what to write.
pub(crate) fn check(url: &str, schemes: Schemes) -> Result<String, String> {
    let [plain, secure] = schemes;
    let (uri, authority) = parse(url).map_err(|error| error.replace("http:", &format!("{plain}:")))?;
    if !uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        return Err(format!("write {plain}://{rest}, or {secure}:// with TLS"));
    }
    if is_secure(&uri) {
        server_name(&authority)?;
    }
    Ok(address(&uri, &authority))
}

fn parse(url: &str) -> Result<(Uri, Authority), String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}; write http://127.0.0.1:3000/path"))?;
    if uri.scheme().is_none() {
        return Err(format!("no scheme; write http://{url}"));
    }
    let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or("no host")?.clone();
    if authority.as_str().contains('@') {
        return Err("user names in URLs are not supported".to_owned());
    }
    Ok((uri, authority))
}

fn is_secure(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("https" | "wss"))
}

fn address(uri: &Uri, authority: &Authority) -> String {
    format!("{}:{}", authority.host(), authority.port_u16().unwrap_or_else(|| default_port(uri)))
}

fn default_port(uri: &Uri) -> u16 {
    if is_secure(uri) { 443 } else { 80 }
}

/// The name that the certificate must have.
fn server_name(authority: &Authority) -> Result<ServerName<'static>, String> {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(host.to_owned()).map_err(|error| format!("{host} cannot be in a certificate: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_or_refused_with_the_fix() {
        let endpoint = |url| Endpoint::new(url, &Trust::default(), Some(&"a.B/Get".parse().unwrap())).unwrap();
        let plain = endpoint("http://localhost:3000/a?b=c");
        assert_eq!((plain.address.as_str(), plain.path.to_string().as_str()), ("localhost:3000", "/a?b=c"));
        assert_eq!(plain.call.unwrap().0, "http://localhost:3000/a.B/Get");
        let bare = endpoint("http://[::1]");
        assert_eq!((bare.address.as_str(), bare.path.to_string().as_str()), ("[::1]:80", "/"));
        assert_eq!((bare.default_port(), endpoint("http://[::1]:80").default_port()), (Some(80), None));
        assert_eq!(check("https://[::1]/", HTTP).as_deref(), Ok("[::1]:443"));
        for (url, schemes, said) in [
            ("", HTTP, "write http://"),
            ("localhost:3000", HTTP, "no scheme; write http://localhost:3000"),
            ("localhost:3000", WEBSOCKET, "no scheme; write ws://localhost:3000"),
            ("http://user@a", HTTP, "user names"),
            ("ftp://a", HTTP, "write http://a, or https:// with TLS"),
            ("wss://a/b", HTTP, "write http://a/b"),
            ("http://a/b", WEBSOCKET, "write ws://a/b, or wss:// with TLS"),
            ("https://a_b!", HTTP, "cannot be in a certificate"),
        ] {
            let error = check(url, schemes).unwrap_err();
            assert!(error.contains(said), "{url}: {error}");
        }
    }
}
