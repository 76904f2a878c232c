//! The `erw` program: everything is in the library.

fn main() -> std::process::ExitCode {
    erw::cli::main()
}
