//! The simulators on real loopback sockets, for the demo and for hosts that cannot intercept.
//! Plain HTTP/1.1 and nothing else.

use super::{Boxed, Broken, Deliverer, Request, Upstream};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// How long open connections may finish after [`Server::stop`]; a hanging answer is cut then.
const GRACE: Duration = Duration::from_secs(1);

/// A running server. Dropping it stops it at once; [`Server::stop`] lets answers finish.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, without a trailing slash.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new connection, lets open ones finish for a second, then cuts them.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves `upstream` on `listener` until the returned server is stopped or dropped. An answer
/// that is [`Broken`] closes its connection without a byte.
///
/// # Errors
/// When the listener does not know its own address.
pub fn serve(upstream: Arc<dyn Upstream>, listener: TcpListener) -> std::io::Result<Server> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(upstream, listener, stopped));
    Ok(Server {
        address,
        stop,
        task,
    })
}

async fn accept(
    upstream: Arc<dyn Upstream>,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) {
    let mut open = tokio::task::JoinSet::new();
    let for_connections = stopped.clone();
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let stream = TokioIo::new(stream);
                open.spawn(connection(
                    upstream.clone(),
                    stream,
                    for_connections.clone(),
                ));
            }
            // Out of file descriptors, most likely: give the open connections time to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
}

async fn connection(
    upstream: Arc<dyn Upstream>,
    stream: TokioIo<tokio::net::TcpStream>,
    mut stopped: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |request: http::Request<_>| {
        let upstream = upstream.clone();
        async move { answer(upstream.as_ref(), request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(stream, service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(
    upstream: &dyn Upstream,
    request: http::Request<hyper::body::Incoming>,
) -> Result<http::Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let response = upstream.handle(Request::from_parts(head, body)).await?;
    Ok(response.map(Full::new))
}

/// Delivers webhooks to plain `http://` addresses.
#[derive(Debug, Clone)]
pub struct HttpDeliverer(Client<HttpConnector, Full<Bytes>>);

impl Default for HttpDeliverer {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl Deliverer for HttpDeliverer {
    fn deliver<'a>(&'a self, request: Request) -> Boxed<'a, Result<u16, Broken>> {
        Box::pin(async move {
            let request = request.map(Full::new);
            let response = self.0.request(request).await.map_err(|_| Broken)?;
            let status = response.status().as_u16();
            response.into_body().collect().await.map_err(|_| Broken)?;
            Ok(status)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Response;

    /// Echoes the body; breaks on an empty one.
    struct Echo;

    impl Upstream for Echo {
        fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
            Box::pin(async move {
                let body = request.into_body();
                if body.is_empty() {
                    return Err(Broken);
                }
                Ok(Response::new(body))
            })
        }
    }

    async fn server() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        serve(Arc::new(Echo), listener).expect("served")
    }

    fn post(server: &Server, body: &'static [u8]) -> Request {
        http::Request::post(format!("{}/x", server.origin()))
            .body(Bytes::from_static(body))
            .expect("request")
    }

    #[tokio::test]
    async fn an_answer_comes_over_a_socket() {
        let server = server().await;
        let sent = HttpDeliverer::default().deliver(post(&server, b"hi")).await;
        assert_eq!(sent, Ok(200));
        server.stop().await;
    }

    #[tokio::test]
    async fn a_broken_answer_breaks_the_connection() {
        let server = server().await;
        let sent = HttpDeliverer::default().deliver(post(&server, b"")).await;
        assert_eq!(sent, Err(Broken));
    }

    #[tokio::test]
    async fn a_stopped_server_refuses_connections() {
        let server = server().await;
        let request = post(&server, b"hi");
        server.stop().await;
        let sent = HttpDeliverer::default().deliver(request).await;
        assert_eq!(sent, Err(Broken));
    }
}
