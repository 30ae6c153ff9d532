//! The first-party plugins against real servers, good ones and faulty ones.

mod cost;
mod dns;
mod domain;
mod examples;
mod http;
mod http_answers;
mod http_redirects;
mod http_tls;
mod icmp;
mod js;
mod measured;
mod prometheus;
mod slack;
mod steps;
mod tcp;
mod tls;
mod webhook;
