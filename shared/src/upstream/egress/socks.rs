//! A tunnel through a SOCKS5 proxy (RFC 1928), with a user name and password where it wants one (RFC 1929).
//!
//! Of our own because the one of `hyper-util` keeps its errors to itself: whether the site or the proxy failed
//! could not be told. Every message has a known length, and nothing beyond it is read.

use std::net::IpAddr;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::proxy::Proxy;
use super::tunnel::Fault;
use crate::crypto::secret::Secret;

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
/// RFC 1928, 3: the methods of authentication.
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
/// RFC 1929, 2.
const SUBNEGOTIATION: u8 = 1;
/// RFC 1928, 5: the kinds of addresses.
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks `proxy`, at the other end of `io`, for a tunnel to `host`, a name or an address without brackets.
pub(super) async fn open(
    mut io: TokioIo<TcpStream>,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<TokioIo<TcpStream>, Fault> {
    let stream = io.inner_mut();
    negotiate(stream, proxy.credentials()).await?;
    stream.write_all(&connect(host, port)?).await.map_err(Fault::proxy)?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(Fault::Proxy("does not speak SOCKS5".to_owned()));
    }
    judge(reply)?;
    // The address that the proxy calls from, which is of no use here.
    let rest = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1>(stream).await?[0]),
        _ => return Err(Fault::Proxy("answered with an unknown kind of address".to_owned())),
    };
    let mut ignored = [0; 255 + 2];
    let ignored = ignored.get_mut(..rest + 2).unwrap_or_default();
    stream.read_exact(ignored).await.map_err(Fault::proxy)?;
    Ok(io)
}

/// Agrees on a method. With credentials no other is offered: they may be what pins the session's address.
async fn negotiate(stream: &mut TcpStream, credentials: Option<&(Secret, Secret)>) -> Result<(), Fault> {
    let method = if credentials.is_some() { USER_AND_PASSWORD } else { NO_AUTHENTICATION };
    stream.write_all(&[VERSION, 1, method]).await.map_err(Fault::proxy)?;
    match read(stream).await? {
        [VERSION, chosen] if chosen == method => {}
        [VERSION, NONE_ACCEPTABLE] if credentials.is_some() => {
            return Err(Fault::Proxy("takes no user name".to_owned()));
        }
        [VERSION, NONE_ACCEPTABLE] => return Err(Fault::Proxy("asks for a user name".to_owned())),
        _ => return Err(Fault::Proxy("does not speak SOCKS5".to_owned())),
    }
    let Some((user, password)) = credentials else { return Ok(()) };
    let mut message = zeroize::Zeroizing::new(vec![SUBNEGOTIATION]);
    for text in [user, password] {
        let text = text.expose_secret().as_bytes();
        let length = u8::try_from(text.len());
        message.push(length.map_err(|_| Fault::Proxy("takes no credentials that long".to_owned()))?);
        message.extend_from_slice(text);
    }
    stream.write_all(&message).await.map_err(Fault::proxy)?;
    match read(stream).await? {
        [_, 0] => Ok(()),
        [_, _] => Err(Fault::Proxy("refuses the user name or the password".to_owned())),
    }
}

fn connect(host: &str, port: u16) -> Result<Vec<u8>, Fault> {
    let mut message = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len());
            let length = length.map_err(|_| Fault::Site("the name is too long for SOCKS5".to_owned()))?;
            message.extend_from_slice(&[NAME, length]);
            message.extend_from_slice(host.as_bytes());
        }
    }
    message.extend_from_slice(&port.to_be_bytes());
    Ok(message)
}

/// Whose fault a reply is (RFC 1928, 6).
fn judge(reply: u8) -> Result<(), Fault> {
    match reply {
        0 => Ok(()),
        3 => Err(Fault::Site("the proxy says: network unreachable".to_owned())),
        4 => Err(Fault::Site("the proxy says: host unreachable".to_owned())),
        5 => Err(Fault::Site("the proxy says: connection refused".to_owned())),
        6 => Err(Fault::Site("the proxy says: TTL expired".to_owned())),
        reply => Err(Fault::Proxy(format!("answered with reply {reply}"))),
    }
}

async fn read<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(Fault::proxy)?;
    Ok(bytes)
}
