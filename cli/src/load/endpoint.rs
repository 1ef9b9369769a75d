//! A URL that requests go to.

use hyper::{Uri, header::HeaderValue};
use std::str::FromStr;

/// An `http://` URL.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    /// Host and port to connect to.
    pub(crate) address: String,
    /// The URL as the target of HTTP/2 requests.
    pub(crate) absolute: Uri,
    /// The target of HTTP/1.1 requests.
    pub(crate) path: Uri,
    pub(crate) host: HeaderValue,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}; write http://127.0.0.1:3000/path"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err("TLS is not supported; name an http:// URL".to_owned()),
            _ => return Err(format!("no scheme; write http://{url}")),
        }
        let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or("no host")?;
        if authority.as_str().contains('@') {
            return Err("user names in URLs are not supported".to_owned());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            url: url.to_owned(),
            address: format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)),
            path: path.parse().map_err(|error| format!("{error}"))?,
            host: authority.as_str().parse().map_err(|error| format!("{error}"))?,
            absolute: uri,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_or_refused_with_the_fix() {
        let endpoint: Endpoint = "http://localhost:3000/a?b=c".parse().unwrap();
        assert_eq!((endpoint.address.as_str(), endpoint.path.to_string().as_str()), ("localhost:3000", "/a?b=c"));
        let bare: Endpoint = "http://[::1]".parse().unwrap();
        assert_eq!((bare.address.as_str(), bare.path.to_string().as_str()), ("[::1]:80", "/"));
        for (url, said) in [
            ("", "write http://"),
            ("localhost:3000", "no scheme; write http://localhost:3000"),
            ("https://a", "TLS is not supported"),
            ("http://user@a", "user names"),
            ("ftp://a", "no scheme"),
        ] {
            let error = url.parse::<Endpoint>().unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
