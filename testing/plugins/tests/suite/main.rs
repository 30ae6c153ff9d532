//! The first-party plugins against real servers, good ones and faulty ones.

mod cost;
mod dns;
mod examples;
mod grpc;
mod http;
mod http_answers;
mod http_redirects;
mod http_tls;
mod icmp;
mod measured;
mod ntp;
mod python;
mod slack;
mod smtp;
mod ssh;
mod tcp;
mod tls;
mod webhook;
mod websocket;
