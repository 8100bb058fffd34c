//! ID (RFC 2971).

use imap_compliance::World;

imap_compliance::claims! {
    every: [is_answered_in_every_state, takes_nil_and_fields_whose_values_may_be_nil, malformed_fields_are_bad],
}

/// R2971-002, R2971-004, R2971-005
async fn is_answered_in_every_state(world: World) {
    let mut c = world.connect();
    c.talks(
        "S: * OK [CAPABILITY <list>] <text>
         C: a ID NIL
         S: * ID (\"name\" \"imap-server\")
         S: a OK <text>",
    )
    .await;
    let mut c = world.selected().await;
    c.talks("C: a ID NIL\n S: * ID (\"name\" \"imap-server\")\n S: a OK <text>")
        .await;
}

/// R2971-006, R2971-007
async fn takes_nil_and_fields_whose_values_may_be_nil(world: World) {
    let mut c = world.login().await;
    for fields in [
        "(\"name\" \"x\" \"version\" NIL)",
        "(\"name\" \"\")",
        "({4+}\r\nname {1+}\r\nx)",
        "nil",
    ] {
        c.says(format!("a ID {fields}")).await;
        c.hears("* ID (\"name\" \"imap-server\")\n a OK <text>").await;
    }
}

/// R2971-003
async fn malformed_fields_are_bad(world: World) {
    let mut c = world.login().await;
    let many = format!("({})", vec!["\"a\" \"b\""; 31].join(" "));
    let long = format!("(\"a\" \"{}\")", "x".repeat(1025));
    for fields in ["", "(\"name\")", "(NIL \"x\")", "name"] {
        c.says(format!("a ID {fields}")).await;
        c.hears("a BAD <text>").await;
    }
    for fields in [many, long] {
        c.says(format!("b ID {fields}")).await;
        let answer = c.response().await;
        assert!(answer.starts_with(b"b BAD "), "{}", String::from_utf8_lossy(&answer));
    }
    c.talks("C: z NOOP\n S: z OK <text>").await;
}
