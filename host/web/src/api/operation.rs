//! One thing that can be asked of the API: its address, who may ask it, and what
//! goes in and out. The routes and the document of the API are made from the same
//! list of these, so that neither knows what the other does not.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::web::Web;

/// Who may ask something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Who may look at everything that is no secret.
    Read,
    /// Who may change what is watched.
    Write,
}

impl Scope {
    /// The word used for tokens.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What makes the schema of something.
pub(crate) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type.
pub(crate) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Something in the query.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) struct Body {
    pub(crate) types: &'static [&'static str],
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// What comes back where all is well.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) says: &'static str,
    /// `None` for an answer without a body.
    pub(crate) shape: Option<Shape>,
    /// Whether it carries an `ETag`.
    pub(crate) tagged: bool,
}

/// See the module.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) group: &'static str,
    pub(crate) says: &'static str,
    pub(crate) scope: Scope,
    pub(crate) query: Vec<Parameter>,
    /// Whether `If-Match` has to be sent.
    pub(crate) guarded: bool,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Answer>,
    handler: MethodRouter<Web>,
}

impl Operation {
    fn new<H, T>(
        method: (&'static str, MethodFilter),
        path: &'static str,
        id: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        Self {
            method: method.0,
            path,
            id,
            group: "",
            says: "",
            scope: Scope::Read,
            query: Vec::new(),
            guarded: false,
            body: None,
            answers: Vec::new(),
            handler: on(method.1, handler),
        }
    }

    /// The method as requests name it.
    pub(crate) const fn verb(&self) -> &'static str {
        match self.method.as_bytes() {
            b"post" => "POST",
            b"put" => "PUT",
            b"patch" => "PATCH",
            b"delete" => "DELETE",
            _ => "GET",
        }
    }

    /// Something to look at.
    pub(crate) fn get<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        Self::new(("get", MethodFilter::GET), path, id, handler)
    }

    /// Something to be done.
    pub(crate) fn post<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        let mut new = Self::new(("post", MethodFilter::POST), path, id, handler);
        new.scope = Scope::Write;
        new
    }

    /// Something to be put in place of what is there.
    pub(crate) fn put<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        let mut new = Self::new(("put", MethodFilter::PUT), path, id, handler);
        new.scope = Scope::Write;
        new
    }

    /// Something to be changed in part.
    pub(crate) fn patch<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        let mut new = Self::new(("patch", MethodFilter::PATCH), path, id, handler);
        new.scope = Scope::Write;
        new
    }

    /// Something to be removed.
    pub(crate) fn delete<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        let mut new = Self::new(("delete", MethodFilter::DELETE), path, id, handler);
        new.scope = Scope::Write;
        new
    }

    /// Where it stands in the document, and what that says of it.
    pub(crate) fn says(mut self, group: &'static str, says: &'static str) -> Self {
        (self.group, self.says) = (group, says);
        self
    }

    /// Something that the query may have.
    pub(crate) fn query<T: JsonSchema>(mut self, name: &'static str, says: &'static str) -> Self {
        self.query.push(Parameter {
            name,
            says,
            shape: shape::<T>,
            required: false,
        });
        self
    }

    /// Something that the query must have.
    pub(crate) fn must<T: JsonSchema>(mut self, name: &'static str, says: &'static str) -> Self {
        self.query.push(Parameter {
            name,
            says,
            shape: shape::<T>,
            required: true,
        });
        self
    }

    /// Only with `If-Match`.
    pub(crate) fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }

    /// What is sent, as JSON.
    pub(crate) fn body(self, shape: Shape) -> Self {
        self.body_of(&["application/json"], shape)
    }

    /// What is sent, in one of some types.
    pub(crate) fn body_of(mut self, types: &'static [&'static str], shape: Shape) -> Self {
        self.body = Some(Body {
            types,
            shape,
            required: true,
        });
        self
    }

    /// What may be sent, as JSON.
    pub(crate) fn may_send(mut self, shape: Shape) -> Self {
        self.body = Some(Body {
            types: &["application/json"],
            shape,
            required: false,
        });
        self
    }

    /// What comes back where all is well.
    pub(crate) fn answers(mut self, status: u16, says: &'static str, shape: Shape) -> Self {
        self.answers.push(Answer {
            status,
            says,
            shape: Some(shape),
            tagged: false,
        });
        self
    }

    /// What comes back, with the version that it is of.
    pub(crate) fn answers_tagged(mut self, status: u16, says: &'static str, shape: Shape) -> Self {
        self.answers.push(Answer {
            status,
            says,
            shape: Some(shape),
            tagged: true,
        });
        self
    }

    /// That nothing comes back where all is well.
    pub(crate) fn answers_nothing(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            says,
            shape: None,
            tagged: false,
        });
        self
    }
}

/// The routes of `operations`.
pub(crate) fn routes(operations: Vec<Operation>) -> Router<Web> {
    let mut router = Router::new();
    for operation in operations {
        router = router.route(operation.path, operation.handler);
    }
    router
}
