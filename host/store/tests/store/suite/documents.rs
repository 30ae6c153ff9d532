//! The laws of what people write.

use watchkeeper_store::{Commit, Document, DocumentKey, DocumentKind};

use super::Backend;
use crate::sample::{T0, after};

fn key(kind: DocumentKind, id: &str) -> DocumentKey {
    DocumentKey {
        kind,
        id: id.into(),
    }
}

fn document(revision: u32) -> Document {
    Document {
        revision,
        created_at: T0,
        updated_at: after(u64::from(revision)),
        content: format!(r#"{{"revision":{revision},"text":"<b>å</b>"}}"#).into(),
    }
}

pub(crate) async fn documents_are_kept_replaced_and_removed(backend: &impl Backend) {
    let store = backend.open();
    let (move_, same) = (
        key(DocumentKind::Maintenance, "move"),
        key(DocumentKind::Announcement, "move"),
    );
    let commit = |documents: Vec<(DocumentKey, Option<Document>)>| Commit {
        documents: documents.into_iter().collect(),
        ..Commit::default()
    };
    let both = vec![
        (move_.clone(), Some(document(1))),
        (same.clone(), Some(document(7))),
    ];
    store.commit(commit(both)).await.unwrap();
    let again = vec![(move_.clone(), Some(document(2)))];
    store.commit(commit(again)).await.unwrap();
    store.close().await.unwrap();

    let store = backend.open();
    let loaded = store.load().await.unwrap().documents;
    let expected = [(move_, document(2)), (same.clone(), document(7))];
    assert_eq!(loaded, expected.clone().into());
    store.commit(commit(vec![(same, None)])).await.unwrap();
    let left = store.load().await.unwrap().documents;
    assert_eq!(left.into_iter().next(), expected.into_iter().next());
    store.close().await.unwrap();
}
