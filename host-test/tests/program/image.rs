//! Claims that the content of `deploy/Dockerfile`'s image is enough: the program serves from a
//! folder that holds only itself, `spin.toml` and the component, started from elsewhere. How: the
//! real program on loopback.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};

#[test]
fn the_program_the_manifest_and_the_component_are_enough() {
    xtask::build_component(xtask::Install::AsRoot).expect("the component");
    let root = xtask::workspace_root();
    let image = tempfile::tempdir().expect("a folder");
    let app = image.path().join("app");
    let component = app.join(xtask::COMPONENT);
    fs::create_dir_all(component.parent().expect("a folder")).expect("folders");
    fs::copy(env!("CARGO_BIN_EXE_host"), app.join("kvgf")).expect("the program");
    fs::copy(root.join("spin.toml"), app.join("spin.toml")).expect("the manifest");
    fs::copy(root.join(xtask::COMPONENT), component).expect("the component");

    let mut host = Command::new(app.join("kvgf"))
        .args(["up", "--from", "app/spin.toml", "--listen", "127.0.0.1:0"])
        .args(["--drain-every", "0", "--state-dir", "state"])
        .env_clear()
        .env("SPIN_VARIABLE_GETFLY_URL", "https://shop.example.vn")
        .env("SPIN_VARIABLE_GETFLY_API_KEY", "invented")
        .env("SPIN_VARIABLE_PUBLIC_URL", "https://bridge.example.vn")
        .env("SPIN_VARIABLE_ADMIN_TOKEN", "an-invented-admin-token")
        .env("SPIN_VARIABLE_MASTER_KEY", host_test::variables::MASTER_KEY)
        .current_dir(image.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let output = host.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("Serving http://");
    let health = address.map(|address| {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let request =
            "GET /healthz HTTP/1.1\r\nhost: bridge.example.vn\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    host.kill().expect("killed");
    host.wait().expect("ended");
    let health = health.unwrap_or_else(|| panic!("it does not serve: {line:?}"));
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(
        image.path().join("state").is_dir(),
        "the store is where it was told"
    );
}
