//! Serves a shop's orders on port 1144: `curl -u shop:secret 'imap://127.0.0.1:1144/INBOX;UID=1'`.

use imap_server::prelude::*;
use records::{Order, Shop};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let order = |id, customer, text: &str| Order {
        id,
        customer,
        text: text.to_owned(),
    };
    let shop = Shop {
        customers: vec!["Ada".to_owned(), "Grace".to_owned()],
        orders: vec![
            order(1, 1, "One engine"),
            order(2, 2, "One compiler"),
            order(3, 1, "Punched cards"),
        ],
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:1144").await?;
    println!("listening on {}", listener.local_addr()?);
    Server::new(Mapped::new(shop)).serve_listener(listener, Tls::None).await
}
