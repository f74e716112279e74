//! What was found and mended; `docs/proof.md` names each.

/// What the search, or a test that it grew from, has found so far, and how it was mended.
pub(super) const FINDINGS: &[(&str, &str)] = &[
    (
        "A crash between looking at a person's command and keeping the worker's cursor could leave an event \
         waiting for good.",
        "Found by the backfill's crash test. Now the cursor is kept before the command is removed \
         (`plugin/src/drain/retention.rs`).",
    ),
    (
        "A worker that was held up for ten seconds and more while it took its next time slot could go on \
         after another one had worked and given that slot back, and create an order twice.",
        "Found by the race \"two drains near the end of a slot\". Now a slot that was taken late is not \
         gone on with (`plugin/src/worker/lease.rs`).",
    ),
    (
        "A worker that made a dead letter, carried out a person's command for it and died before keeping its \
         cursor counted the event twice, so that the loss equation no longer held.",
        "Found while mutants were tried. Now the event counts as the dead letter it was until the cursor \
         comes to the command (`plugin/src/drain/commands.rs`).",
    ),
    (
        "A worker that died between registering a webhook again and removing the broken one left that one \
         for good.",
        "Found by healing under every fault. Now what is broken beside a sound one is removed too \
         (`plugin/src/reconcile/healing.rs`).",
    ),
    (
        "An acceptor that stands still for more than ten minutes between taking a number and writing its \
         entry writes one that no worker looks at: its delivery was answered 503 and is sent again, so nothing is \
         lost or doubled, but the entry stays `received` in the list.",
        "Found by the mutants' checks. Now the worker lists a number that has no entry after ten minutes for one \
         more look after eighty hours (`plugin/src/drain/new_entries.rs`).",
    ),
    (
        "In a store that forgets or evicts, a connection was gone and its deliveries got 404, after which KiotViet \
         never sends again.",
        "Found by the models of stores. Now what opens no connection gets 503 while the store is unfit \
         (`plugin/src/app.rs`), and a used journal without the store's marks counts as a loss \
         (`plugin/src/journal/probe.rs`).",
    ),
    (
        "A KiotViet date in the year 0, taken as Vietnam's time, became a moment whose text could not be read back.",
        "Found by the fuzz target `dates`. Now such a moment is refused (`plugin/src/time.rs`).",
    ),
    (
        "The own host held as many large bodies as came, and 512 clients that send their bodies slowly could keep \
         every client waiting for half a minute.",
        "Found while the flood was made. Now connections, instances and bodies are bounded \
         (`host/src/server.rs`, `docs/operating.md`).",
    ),
    (
        "A store call that failed while a person's backfill was begun dropped the command without a word.",
        "Found by the random histories. Now the command stays until it is carried out \
         (`plugin/src/reconcile/lists.rs`).",
    ),
    (
        "A backfill passed over a record whose own event was waiting and ended as too old.",
        "Found by the random histories. Now only a backfill's own event counts (`plugin/src/journal/unfinished.rs`).",
    ),
    (
        "Healing and backfill passed over the edit of an invoice whose first attempt had failed.",
        "Found by a review. Now an attempt without an order settles nothing (`plugin/src/journal/ledger.rs`).",
    ),
    (
        "An old invoice that was edited while a backfill was under way stayed out: what the backfill lists is cancelled by \
         then, and the edit's own delivery counted as old.",
        "Found by the random histories. Now an edit is wanted as its family is (`plugin/src/worker/plan/invoice.rs`).",
    ),
    (
        "A store call that failed while a backfill looked for its shop left the backfill running for good, where no webhook \
         was on.",
        "Found by the random histories. Now the shop stays on the list (`plugin/src/reconcile/lists.rs`).",
    ),
    (
        "Disconnecting a shop while a worker registered its webhooks again could leave one of them at KiotViet.",
        "Found by a review, and then by the race \"healing beside a disconnection\". Now the switches are off before KiotViet \
         is asked (`plugin/src/admin/api/connections.rs`).",
    ),
    (
        "Disconnecting a shop, or connecting it anew, at the moment when the worker sealed its secrets under a new `master_key` \
         could be undone.",
        "Found by a review, and then by the race \"a new master_key beside a disconnection\". Now a request that changes such a \
         connection holds the lease (`plugin/src/admin/api/connections.rs`).",
    ),
    (
        "An invoice's attempt had announced the account of a customer who is older than the webhook, and the customer's \
         own event, too old, put its own mark over that: the next invoice sent the create again, or went to another \
         account if the phone had been edited. Found by the random histories.",
        "Now what is announced is read back first and never written over (`plugin/src/worker/plan/customer.rs`).",
    ),
    (
        "An order was stored and its reply lost, people switched the webhook off and on, and the retry, too old by \
         then, wrote over what was announced: a backfill created the order a second time. Found by a review of the \
         finding before, and tried by a history.",
        "Now the order of an earlier attempt is looked for before the invoice's age is (`plugin/src/worker/plan/invoice.rs`).",
    ),
    (
        "A customer was deleted in KiotViet after an invoice's attempt had created the account and before it came to the \
         order: the order stood without its account. Found by the random histories.",
        "Now the account of an earlier attempt is looked for where KiotViet no longer has the customer \
         (`plugin/src/worker/plan/account.rs`).",
    ),
    (
        "Getfly refused an account for a while, and its customer was deleted: the invoice ended with an order and \
         without an account, and that was taken for the account having been created, so that the next order named one \
         that is not there. Found by the random histories.",
        "Now only an event that ended with this account has created it (`plugin/src/journal/ledger.rs`).",
    ),
    (
        "An account was stored long after its timeout, and the store failed, or the worker died, before the pause that waits for \
         it was kept: the next worker took up another customer of the same phone meanwhile, and made a second account.",
        "Found when every pair of faults was tried. Now the worker that comes after such a one creates no account until what it may have \
         sent has settled: it never gave its lease back (`plugin/src/worker/lease.rs`, `plugin/src/worker/permit.rs`).",
    ),
    (
        "After a clock had been a day ahead and was set right, no worker looked at the webhooks for a day, and what was not \
         delivered meanwhile was never read back.",
        "Found when clocks came into the random histories. Now a look in the future does not count, and nothing is taken \
         for read that has not happened (`plugin/src/reconcile/healing.rs`, `plugin/src/reconcile/lists.rs`).",
    ),
    (
        "Lists of users, and of sellers who were not in them, that were made while a clock was ahead were believed for as long as it had been ahead.",
        "Found when clocks came into the random histories. Now they are read anew (`plugin/src/worker/session.rs`).",
    ),
    (
        "After a clock was set back every call to Getfly waited for the ceiling, up to two minutes each.",
        "Found by the random histories. Now calls that began in the future do not count (`plugin/src/worker/permit.rs`).",
    ),
    (
        "README allowed store calls of up to ten seconds beside clocks that differ by two, but the last ten seconds of a \
         slot are for both together.",
        "Found by a review of the lease, when clocks came into the random histories. Now README says eight.",
    ),
    (
        "A refusal of Getfly's that repeated a phone number with an en dash, a middle dot, an underscore, a \
         character that cannot be seen or `%20` between its digits stood in the event's notes and in the store.",
        "Found by the privacy scenario when its vendors refused in such words. Now what may stand between digits \
         in a phone field is masked too (`plugin/src/vendor/redaction.rs`).",
    ),
    (
        "The embedded store's page cache could grow to a gigabyte, all that the systemd unit and the Kubernetes \
         file give the host.",
        "Found by a review of the flood's bound. Now it is 64 MiB (`host/src/keyvalue/embedded.rs`).",
    ),
    (
        "A worker died while Getfly took half a minute to store an account, and its successor came to another \
         customer of the same phone first, whose second attempt was due: two accounts.",
        "Found by a review. Only the customer's own event had waited. Now the slot that the worker left tells \
         the next one (`plugin/src/worker/lease.rs`).",
    ),
    (
        "Once an event was removed after `retention_days`, the ledger no longer knew what it had come to: an order \
         that Getfly had refused counted as there, so a backfill passed over the sale; the edit of one that people \
         had deleted in Getfly became an order.",
        "Found by a review. Now the ledger keeps it when the event is removed (`plugin/src/journal/ledger.rs`).",
    ),
    (
        "Getfly's words about single fields did not stand in a dead letter's notes.",
        "Found by a review. Now they do (`plugin/src/getfly/refusal.rs`).",
    ),
    (
        "A Getfly that keeps `0912345678` as `0912 345 678` did not find it again: two customers of one phone made two \
         accounts.",
        "Found by the histories' personalities. Now the ledger keeps which account every phone of ours has \
         (`plugin/src/worker/execute.rs`).",
    ),
    (
        "At a Getfly that numbers orders itself, the very first create's reply was lost: nothing told that the code \
         would be another, and the order was sent again.",
        "Found by the histories' personalities. Now a lost reply is looked for by its text too, always \
         (`plugin/src/worker/memory.rs`).",
    ),
    (
        "Where KiotViet takes one webhook of a type only, one that it had switched off was never registered again.",
        "Found by the histories' personalities. Now ours that is broken makes room (`plugin/src/reconcile/webhooks.rs`).",
    ),
    (
        "A Getfly that refuses a product and does not show its products: the sale was tried for 75 hours, as if the key \
         were refused.",
        "Found by the histories' personalities. Now it is a dead letter in Getfly's words \
         (`plugin/src/worker/products.rs`).",
    ),
    (
        "A Getfly that numbers records itself and answers a create with an id or a message only: the code that was sent \
         was taken for the record's, so that later orders named an account that is not there.",
        "Found when the personalities no longer left that pair out. Now a code that is not told is read back before it \
         is remembered (`plugin/src/worker/memory.rs`).",
    ),
    (
        "A Getfly that numbers accounts itself and keeps phones in a form of its own: an account whose create's reply was \
         lost was found by its text, and not by its phone, so that the next customer of that phone got a second one.",
        "Found by a review. Now its phones are kept under the code that was found (`plugin/src/worker/execute.rs`).",
    ),
    (
        "A Getfly that bears one request a second, and drains more than ten minutes apart: each attempt began with two \
         searches at once and failed for that.",
        "Found by the histories' personalities. Now a call that is answered 429 is made once more, a second \
         later (`plugin/src/worker/permit.rs`).",
    ),
    (
        "Since a create takes the next slot of the lease too, the mutant without the lease took only the first: two \
         workers no longer created anything, and the histories passed without it.",
        "Found by the committed histories. Now the mutant takes both (`plugin/src/worker/lease.rs`).",
    ),
    (
        "Where Getfly numbers records itself and our clock was an hour ahead, an order whose create's reply was lost was not \
         found by its text and sent again.",
        "Found by the histories' personalities. Now it is looked for among the newest first, which depends on no clock \
         (`plugin/src/getfly/client.rs`).",
    ),
    (
        "Getfly refused a detail and its answer was cut: a dead letter, of which nobody could tell the field, counted as stuck.",
        "Found by the proof's personalities (the one run of the table above with a finding). It is the dead letter that it should be; now a person retries it there, and the record must come of that (`proof/src/search/run.rs`).",
    ),
    (
        "A worker that died between two pages of a poll by the day of sale found the first page known afterwards, and left the others to the sweep.",
        "Found by a review, after the run above. Now the poll is kept before a page's rows are (`plugin/src/reconcile/polls.rs`).",
    ),
    (
        "A backfill used up the calls of the hour, and an F&B shop was not polled until it turned.",
        "Found by a review, after the run above. Now polls have calls of their own (`plugin/src/reconcile/lists.rs`).",
    ),
];
