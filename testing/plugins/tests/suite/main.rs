//! The first-party plugins against real servers, good ones and faulty ones.

mod cost;
mod databases;
mod dns;
mod examples;
mod http;
mod http_answers;
mod http_redirects;
mod http_tls;
mod icmp;
mod measured;
mod mysql;
mod mysql_impostors;
mod postgres;
mod postgres_impostors;
mod redis;
mod slack;
mod tcp;
mod tls;
mod webhook;
