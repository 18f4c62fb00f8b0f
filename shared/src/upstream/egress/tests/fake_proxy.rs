//! A proxy of the tests' own, well-behaved or not. Where it forwards, every name is at loopback.

use tokio::net::TcpStream;

use super::*;
use crate::crypto::secret::Secret;

/// What a proxy does with a connection.
#[derive(Clone)]
pub(super) enum Does {
    /// Speaks HTTP, and passes on whatever it is asked.
    Http,
    /// Speaks SOCKS5 with this method of authentication, and passes on.
    Socks5(u8),
    /// Reads once, writes these bytes and closes.
    Says(Vec<u8>),
    /// Reads and writes by turns, then closes.
    Talks(Vec<Vec<u8>>),
    /// Reads once, writes the first bytes, then the second without end.
    Floods(Vec<u8>, Vec<u8>),
    /// Accepts, reads, and says nothing.
    IsSilent,
}

/// A proxy on loopback, and what it was told.
pub(super) struct FakeProxy {
    pub port: u16,
    pub heard: Arc<Mutex<Vec<Vec<u8>>>>,
    pub connections: Arc<AtomicUsize>,
}

impl FakeProxy {
    pub async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (all, counted) = (Arc::clone(&heard), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(act(stream, does.clone(), Arc::clone(&all)));
            }
        });
        Self { port, heard, connections }
    }

    pub fn proxy(&self, scheme: ProxyScheme, credentials: Option<(&str, &str)>) -> Proxy {
        let credentials = credentials.map(|(user, password)| (Secret::new(user), Secret::new(password)));
        Proxy::new(scheme, url::Host::parse("127.0.0.1").unwrap(), self.port, credentials)
    }

    pub fn http(&self) -> Proxy {
        self.proxy(ProxyScheme::Http, None)
    }

    pub fn socks5(&self) -> Proxy {
        self.proxy(ProxyScheme::Socks5, None)
    }

    /// What was heard, as text.
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn hear(stream: &mut TcpStream, all: &Arc<Mutex<Vec<Vec<u8>>>>) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let length = stream.read(&mut bytes).await.unwrap_or_default();
    bytes.truncate(length);
    all.lock().unwrap().push(bytes.clone());
    bytes
}

async fn act(mut stream: TcpStream, does: Does, all: Arc<Mutex<Vec<Vec<u8>>>>) {
    match does {
        Does::Http => forward_http(stream, all).await,
        Does::Socks5(method) => forward_socks(stream, method, all).await,
        Does::Says(bytes) => {
            hear(&mut stream, &all).await;
            let _ = stream.write_all(&bytes).await;
        }
        Does::Talks(turns) => {
            for bytes in turns {
                hear(&mut stream, &all).await;
                let _ = stream.write_all(&bytes).await;
            }
        }
        Does::Floods(first, more) => {
            hear(&mut stream, &all).await;
            let mut written = stream.write_all(&first).await;
            while written.is_ok() {
                written = stream.write_all(&more).await;
            }
        }
        Does::IsSilent => while !hear(&mut stream, &all).await.is_empty() {},
    }
}

/// `CONNECT`, and requests in absolute form, without what is meant for the proxy, as ordinary proxies do.
async fn forward_http(mut stream: TcpStream, all: Arc<Mutex<Vec<Vec<u8>>>>) {
    let request = String::from_utf8(hear(&mut stream, &all).await).unwrap();
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method == "CONNECT" {
        let port = target.rsplit(':').next().unwrap();
        let site = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 Connection established\r\nvia: fake\r\n\r\n").await.unwrap();
        return pass_on(stream, site).await;
    }
    let url = Url::parse(target).unwrap();
    let mut site = TcpStream::connect(format!("127.0.0.1:{}", url.port().unwrap())).await.unwrap();
    let lines = request.split("\r\n").filter(|line| !line.to_lowercase().starts_with("proxy-"));
    let rest = lines.skip(1).collect::<Vec<_>>().join("\r\n");
    site.write_all(format!("{method} {} HTTP/1.1\r\n{rest}", url.path()).as_bytes()).await.unwrap();
    pass_on(stream, site).await;
}

async fn forward_socks(mut stream: TcpStream, method: u8, all: Arc<Mutex<Vec<Vec<u8>>>>) {
    hear(&mut stream, &all).await;
    stream.write_all(&[5, method]).await.unwrap();
    if method == 2 {
        hear(&mut stream, &all).await;
        stream.write_all(&[1, 0]).await.unwrap();
    }
    let request = hear(&mut stream, &all).await;
    let port = u16::from_be_bytes([request[request.len() - 2], request[request.len() - 1]]);
    let site = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // A name as the address that it calls from: the longest kind of answer.
    stream.write_all(&[&[5, 0, 0, 3, 4][..], b"exit", &[0, 80]].concat()).await.unwrap();
    pass_on(stream, site).await;
}

async fn pass_on(mut stream: TcpStream, mut site: TcpStream) {
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut site).await;
}

/// An egress that may dial loopback, where every name but a site's is.
pub(super) fn local(limits: Limits) -> Egress {
    let options =
        EgressOptions { allow_loopback: true, limits, resolver: resolver(&[]), ..EgressOptions::default() };
    Egress::with(options, clock())
}
