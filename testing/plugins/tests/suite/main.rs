//! The first-party plugins against real servers, good ones and faulty ones.
