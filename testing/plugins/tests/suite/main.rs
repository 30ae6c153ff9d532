//! The first-party plugins against real servers, good ones and faulty ones.

mod amqp;
mod brokers;
mod channels;
mod cost;
mod dns;
mod examples;
mod http;
mod http_answers;
mod http_redirects;
mod http_tls;
mod icmp;
mod measured;
mod mqtt;
mod rabbitmq;
mod rabbitmq_answers;
mod slack;
mod tcp;
mod tls;
mod webhook;
