//! A server that publishes types, and what is asked of it.

use parking_lot::Mutex;
use pretty_assertions::assert_eq;
use serde_json::json;
use sha2::{Digest as _, Sha512};

use super::*;
use crate::connect::testing::{Server, json as answer};
use crate::connect::{ConnectOptions, Connection, Connector};

/// What the server publishes now.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Option<(String, Value)>>>);

impl Book {
    fn publish(&self, hash: &str, default: &str) {
        let kind = json!({"group": "edge.example", "version": "v1", "kind": "Tunnel"});
        let schema = json!({"type": "object", "x-kubernetes-group-version-kind": [kind],
            "properties": {"spec": {"type": "object", "properties": {"mode": {"type": "string", "default": default}}}}});
        let document = json!({"components": {"schemas": {"example.edge.v1.Tunnel": schema}}});
        *self.0.lock() = Some((hash.to_owned(), document));
    }

    /// With the hash of what is sent, as a real server does.
    fn publish_truly(&self, default: &str) {
        self.publish("", default);
        if let Some((hash, document)) = &mut *self.0.lock() {
            let digest = Sha512::digest(document.to_string().as_bytes());
            *hash = digest.iter().map(|b| format!("{b:02X}")).collect();
        }
    }

    fn index(&self) -> (String, Value) {
        let mut paths =
            json!({"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=A"}});
        let mut tag = "\"apps\"".to_owned();
        if let Some((hash, _)) = &*self.0.lock() {
            let url = format!("/openapi/v3/apis/edge.example/v1?hash={hash}");
            paths["apis/edge.example/v1"] = json!({ "serverRelativeURL": url });
            tag = format!("\"{hash}\"");
        }
        (tag, json!({ "paths": paths }))
    }
}

async fn server(book: Book) -> Server {
    Server::start(move |request| match request.uri().path() {
        "/openapi/v3" => {
            let (tag, index) = book.index();
            let known = request.headers().get("if-none-match");
            let same = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
            let mut response = answer(if same { 304 } else { 200 }, &index);
            let tag = HeaderValue::from_str(&tag).unwrap();
            response.headers_mut().insert("etag", tag);
            response
        }
        "/openapi/v3/apis/edge.example/v1" => {
            let document = book.0.lock().clone().unwrap().1;
            answer(200, &document)
        }
        _ => answer(404, &json!({"kind": "Status", "code": 404})),
    })
    .await
}

fn connection(server: &Server) -> Connection {
    let plan = server.plan("{token: t}");
    let row = plan.rows.into_iter().next().unwrap();
    Connector::new(ConnectOptions::default())
        .connection(&row)
        .unwrap()
}

fn follow(server: &Server) -> (Schemas, mpsc::Receiver<News>) {
    follow_with(server, &Arc::default(), "edge-oslo-003")
}

fn follow_with(
    server: &Server,
    pool: &Arc<Pool>,
    cluster: &str,
) -> (Schemas, mpsc::Receiver<News>) {
    let connection = connection(server);
    let (tell, news) = mpsc::channel(8);
    let lists = Arc::new(tokio::sync::Semaphore::new(1));
    let context = WatchContext::new(connection.client(Lane::Watch), lists, 7);
    let parts = Parts {
        cluster: cluster.into(),
        connection,
        context,
        pool: Arc::clone(pool),
        tell,
    };
    (Schemas::start(parts), news)
}

fn tunnel() -> Gvk {
    Gvk::new("edge.example", "v1", "Tunnel")
}

async fn next(news: &mut mpsc::Receiver<News>) -> News {
    let wait = Duration::from_secs(10);
    tokio::time::timeout(wait, news.recv())
        .await
        .unwrap()
        .unwrap()
}

fn default_of(published: &Published) -> &Value {
    let Published::Schema(schema) = published else {
        panic!("no type: {published:?}")
    };
    let mode = schema.field("spec").unwrap().field("mode").unwrap();
    mode.default_value().unwrap()
}

fn asked(server: &Server, path: &str) -> usize {
    let seen = server.seen();
    seen.iter()
        .filter(|s| s.trim_start_matches("GET ") == path)
        .count()
}

#[tokio::test]
async fn a_type_is_read_once_and_again_only_when_it_changed() {
    let book = Book::default();
    book.publish("one", "auto");
    let server = server(book.clone()).await;
    let (schemas, mut news) = follow(&server);
    schemas.want(BTreeSet::from([tunnel()]));
    let (gvk, published) = next(&mut news).await;
    assert_eq!((gvk, default_of(&published)), (tunnel(), &json!("auto")));
    schemas.poke();
    crate::connect::testing::until("the index is asked again", || {
        asked(&server, "/openapi/v3") == 2
    })
    .await;
    assert_eq!(asked(&server, "/openapi/v3/apis/edge.example/v1"), 1);
    book.publish("two", "manual");
    schemas.poke();
    assert_eq!(default_of(&next(&mut news).await.1), &json!("manual"));
    assert_eq!(asked(&server, "/openapi/v3/apis/edge.example/v1"), 2);
}

const DOCUMENT: &str = "/openapi/v3/apis/edge.example/v1";

#[tokio::test]
async fn of_clusters_that_are_alike_one_sends_its_types() {
    let (pool, book) = (Arc::new(Pool::default()), Book::default());
    book.publish_truly("auto");
    let (first, second) = (server(book.clone()).await, server(book).await);
    let (follower, mut news) = follow_with(&first, &pool, "edge-oslo-003");
    follower.want(BTreeSet::from([tunnel()]));
    let (_, told) = next(&mut news).await;
    let (other, mut others) = follow_with(&second, &pool, "edge-oslo-004");
    other.want(BTreeSet::from([tunnel()]));
    assert_eq!(next(&mut others).await.1, told);
    assert_eq!((asked(&first, DOCUMENT), asked(&second, DOCUMENT)), (1, 0));
    let of = |cluster: &str| pool.of(&cluster.into(), &tunnel()).unwrap();
    assert!(Arc::ptr_eq(&of("edge-oslo-003"), &of("edge-oslo-004")));
}

#[tokio::test]
async fn a_cluster_that_gives_its_types_anothers_hash_decides_for_itself_alone() {
    let pool = Arc::new(Pool::default());
    let (honest, liar) = (Book::default(), Book::default());
    honest.publish_truly("auto");
    let hash = honest.0.lock().clone().unwrap().0;
    liar.publish(&hash, "evil");
    let (honest, liar) = (server(honest).await, server(liar).await);
    let (follower, mut news) = follow_with(&liar, &pool, "edge-oslo-003");
    follower.want(BTreeSet::from([tunnel()]));
    assert_eq!(default_of(&next(&mut news).await.1), &json!("evil"));
    let (other, mut others) = follow_with(&honest, &pool, "edge-oslo-004");
    other.want(BTreeSet::from([tunnel()]));
    assert_eq!(default_of(&next(&mut others).await.1), &json!("auto"));
    assert_eq!(asked(&honest, DOCUMENT), 1);
}

#[tokio::test]
async fn a_kind_that_is_not_published_yet_is_named_and_found_as_soon_as_it_is() {
    let book = Book::default();
    let server = server(book.clone()).await;
    let (schemas, mut news) = follow(&server);
    schemas.want(BTreeSet::from([tunnel()]));
    let (_, first) = next(&mut news).await;
    assert!(matches!(first, Published::Nothing(_)), "{first:?}");
    book.publish("one", "auto");
    assert_eq!(default_of(&next(&mut news).await.1), &json!("auto"));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let server = Server::start(|_| {
        answer(
            403,
            &json!({"kind": "Status", "code": 403, "message": "no openapi for ola"}),
        )
    })
    .await;
    let (schemas, mut news) = follow(&server);
    schemas.want(BTreeSet::from([tunnel()]));
    let (_, told) = next(&mut news).await;
    let Published::Nothing(why) = told else {
        panic!("{told:?}")
    };
    assert!(why.as_str().contains("no openapi for ola"), "{why}");
}

#[tokio::test]
async fn nothing_is_asked_while_no_custom_kind_is_wanted() {
    let server = server(Book::default()).await;
    let (schemas, _news) = follow(&server);
    schemas.want(BTreeSet::new());
    schemas.poke();
    tokio::task::yield_now().await;
    assert_eq!(server.seen().len(), 0);
}
