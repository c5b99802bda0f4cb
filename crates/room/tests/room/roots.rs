//! Who speaks for a burst: the first of it, as long as it stands, is nobody's and is put aside by nothing.

use expect_test::{Expect, expect};

use crate::script::play;

/// Five blocked lines within a minute: the first speaks for the others.
const BURST: &str = "+0 find LINK.BLOCKED line:1 P3
     +1 find LINK.BLOCKED line:2 P3
     +2 find LINK.BLOCKED line:3 P3
     +3 find LINK.BLOCKED line:4 P3
     +4 find LINK.BLOCKED line:5 P3";

fn check(script: &str, timeline: &Expect) {
    let told = play(&format!("{BURST}\n{script}"));
    timeline.assert_eq(&told.lines().skip(5).map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn what_is_put_aside_speaks_for_nobody() {
    check(
        "+10 shelve 1 by kim until=3600 comment=known
         +11 find LINK.BLOCKED line:2 P3 members=22/1
         +12 find LINK.BLOCKED line:6 P3
         +13 find LINK.BLOCKED line:3 P3 members=22/1",
        &expect![[r#"
            +10 shelve 1 by kim until=3600 comment=known => done 20261123-1: P3 active, nobody's, shelved, count 1
            +11 find LINK.BLOCKED line:2 P3 members=22/1 => repeated 20261123-2: P3 active, nobody's, sounded 2, count 2
            +12 find LINK.BLOCKED line:6 P3 => raised 20261123-6: P3 active, nobody's, collapsed, count 1
            +13 find LINK.BLOCKED line:3 P3 members=22/1 => repeated 20261123-3: P3 active, nobody's, collapsed, count 2
        "#]],
    );
}

#[test]
fn what_is_over_or_taken_speaks_for_nobody_who_comes_later() {
    check(
        "+10 normal LINK.BLOCKED line:1
         +11 find LINK.BLOCKED line:2 P3 members=22/1
         +12 find LINK.BLOCKED line:6 P3
         +13 ack 2 by kim
         +14 find LINK.BLOCKED line:7 P3
         +15 find LINK.BLOCKED line:8 P3",
        &expect![[r#"
            +10 normal LINK.BLOCKED line:1 => source normal 20261123-1: P3 cleared, nobody's, source normal, count 1
            +11 find LINK.BLOCKED line:2 P3 members=22/1 => repeated 20261123-2: P3 active, nobody's, sounded 2, count 2
            +12 find LINK.BLOCKED line:6 P3 => raised 20261123-6: P3 active, nobody's, collapsed, count 1
            +13 ack 2 by kim => done 20261123-2: P3 active, kim's, sounded 2, count 2
            +14 find LINK.BLOCKED line:7 P3 => raised 20261123-7: P3 active, nobody's, count 1
            +15 find LINK.BLOCKED line:8 P3 => raised 20261123-8: P3 active, nobody's, collapsed, count 1
        "#]],
    );
}

#[test]
fn what_falls_silent_with_its_parent_speaks_for_nobody_else() {
    let told = play(
        "+0 find VEH.STALL 22/1 P3 parent=FEED.SILENT/feed:a
         +1 find VEH.STALL 22/2 P3
         +2 find VEH.STALL 22/3 P3
         +3 find VEH.STALL 22/4 P3
         +4 find VEH.STALL 22/5 P3
         +5 find FEED.SILENT feed:a P1
         +6 find VEH.STALL 22/1 P3 members=22/9
         +7 find VEH.STALL 22/2 P3 members=22/9
         +8 find VEH.STALL 22/3 P3 members=22/9",
    );
    expect![[r#"
        +0 find VEH.STALL 22/1 P3 parent=FEED.SILENT/feed:a => raised 20261123-1: P3 active, nobody's, count 1
        +1 find VEH.STALL 22/2 P3 => raised 20261123-2: P3 active, nobody's, count 1
        +2 find VEH.STALL 22/3 P3 => raised 20261123-3: P3 active, nobody's, count 1
        +3 find VEH.STALL 22/4 P3 => raised 20261123-4: P3 active, nobody's, count 1
        +4 find VEH.STALL 22/5 P3 => raised 20261123-5: P3 active, nobody's, collapsed, count 1
        +5 find FEED.SILENT feed:a P1 => raised 20261123-6: P1 active, nobody's, count 1
        +6 find VEH.STALL 22/1 P3 members=22/9 => repeated 20261123-1: P3 active, nobody's, by parent, count 2
        +7 find VEH.STALL 22/2 P3 members=22/9 => repeated 20261123-2: P3 active, nobody's, sounded 2, count 2
        +8 find VEH.STALL 22/3 P3 members=22/9 => repeated 20261123-3: P3 active, nobody's, collapsed, count 2
    "#]]
    .assert_eq(&told);
}
