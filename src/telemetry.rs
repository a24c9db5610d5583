//! The log file and the panic report.
