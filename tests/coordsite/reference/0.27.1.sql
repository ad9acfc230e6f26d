BEGIN TRANSACTION;
CREATE TABLE claim_queue (
    id TEXT PRIMARY KEY,
    blocking_claim_id TEXT NOT NULL,
    requester_engineer TEXT NOT NULL,
    requester_session_id TEXT,
    requester_branch TEXT,
    requester_description TEXT,
    repo TEXT,
    claim_type TEXT NOT NULL,
    pattern TEXT NOT NULL,
    symbols TEXT,
    narrowable INTEGER,
    ttl_hours INTEGER,
    position INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    granted_claim_id TEXT,
    enqueued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL, priority TEXT NOT NULL DEFAULT 'normal',
    FOREIGN KEY (blocking_claim_id) REFERENCES claims(id)
);
INSERT INTO "claim_queue" VALUES('f8295f28-ee27-40e1-a3fd-08752b948fe5','4490e3b9-fbf3-4f95-949a-6ce740ed53c3','heidi',NULL,NULL,NULL,'org/app','file','docs/x.md',NULL,NULL,NULL,1,'waiting',NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:07Z','normal');
CREATE TABLE claim_symbols (
    id TEXT PRIMARY KEY,
    claim_id TEXT NOT NULL,
    file_path TEXT NOT NULL,
    symbol_name TEXT NOT NULL,
    symbol_kind TEXT NOT NULL, parent_symbol TEXT,
    UNIQUE (claim_id, file_path, symbol_name),
    FOREIGN KEY (claim_id) REFERENCES claims(id)
);
INSERT INTO "claim_symbols" VALUES('85b1b7cb-55a5-4adb-985f-cf22744c55e2','310392b2-9cb7-4fb3-8c2a-903580239ee8','src/auth/x.py','m','unknown','K');
INSERT INTO "claim_symbols" VALUES('2dee477a-23ec-4271-9e6c-f18cd942d99a','310392b2-9cb7-4fb3-8c2a-903580239ee8','src/auth/x.py','f','unknown',NULL);
INSERT INTO "claim_symbols" VALUES('5788d49a-2cd2-4bd1-a027-7865e71c8cb6','a0289c5e-87f6-4256-8412-a23666bf6d93','src/auth/x.py','g','unknown',NULL);
CREATE TABLE claims (
    id TEXT PRIMARY KEY,
    engineer TEXT NOT NULL,
    branch TEXT,
    description TEXT,
    claim_type TEXT NOT NULL,
    pattern TEXT NOT NULL,
    severity TEXT NOT NULL DEFAULT 'soft',
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    released_at TEXT
, repo TEXT, session_id TEXT, last_activity TEXT, coexists_with TEXT, ttl_shortened BOOLEAN DEFAULT 0, scope_type TEXT NOT NULL DEFAULT 'file', narrowable BOOLEAN NOT NULL DEFAULT 1);
INSERT INTO "claims" VALUES('0cfee058-6bae-4ef2-8a2f-01c5917f81dc','alice','topic','login','file','src/auth/**','soft','2026-11-25T10:48:03Z','2026-11-25T10:53:04Z',NULL,'org/app','sa','2026-11-25T10:48:04Z','["310392b2-9cb7-4fb3-8c2a-903580239ee8", "a0289c5e-87f6-4256-8412-a23666bf6d93"]',1,'file',1);
INSERT INTO "claims" VALUES('310392b2-9cb7-4fb3-8c2a-903580239ee8','bob',NULL,NULL,'file','src/auth/x.py','soft','2026-11-25T10:48:03Z','2026-11-25T14:48:03Z',NULL,'org/app','sb','2026-11-25T10:48:03Z','["0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "a0289c5e-87f6-4256-8412-a23666bf6d93"]',0,'symbol',0);
INSERT INTO "claims" VALUES('a0289c5e-87f6-4256-8412-a23666bf6d93','carol',NULL,NULL,'file','src/auth/x.py','soft','2026-11-25T10:48:03Z','2026-11-25T14:48:03Z',NULL,'org/app','sc','2026-11-25T10:48:03Z','["0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "310392b2-9cb7-4fb3-8c2a-903580239ee8"]',0,'symbol',0);
INSERT INTO "claims" VALUES('850a65f4-050c-4e66-a2a7-8693ce6914a5','dave',NULL,NULL,'shared_file','CHANGES.md','hard','2026-11-25T10:48:04Z','2026-11-25T12:48:04Z',NULL,'org/app',NULL,NULL,NULL,0,'file',0);
INSERT INTO "claims" VALUES('ce6aada4-e83d-4a42-b4fd-d6e5c604b521','dave',NULL,NULL,'module','docs/**','soft','2026-11-25T10:48:04Z','2038-04-23T02:48:04Z',NULL,NULL,NULL,NULL,NULL,0,'file',0);
INSERT INTO "claims" VALUES('3b507f93-86ea-4252-b9cc-e792b2fb8831','erin',NULL,NULL,'file','lib/*/a.py','soft','2026-11-25T10:48:04Z','2026-11-25T14:48:04Z',NULL,'org/app','se','2026-11-25T10:48:04Z',NULL,0,'file',1);
INSERT INTO "claims" VALUES('baf79d6f-6353-41f1-9b74-0fd5037c6a23','frank',NULL,NULL,'file','lib/b/*.py','soft','2026-11-25T10:48:04Z','2026-11-25T14:48:04Z',NULL,'org/app','sf','2026-11-25T10:48:04Z',NULL,0,'file',1);
INSERT INTO "claims" VALUES('6a072fc9-d699-4eff-9074-a2545c519211','erin',NULL,NULL,'file','bad repo/x.py','soft','2026-11-25T10:48:04Z','2026-11-25T14:48:04Z',NULL,'not a repo!',NULL,NULL,NULL,0,'file',1);
INSERT INTO "claims" VALUES('be1b24c0-ef9f-4886-aa1e-7d7cc00d4211','alice',NULL,NULL,'file','tools/**','soft','2026-11-25T10:48:04Z','2026-11-25T10:53:04Z',NULL,'org/app','sa','2026-11-25T10:48:04Z','["d8ddee64-bdbd-4aa1-9b45-7edecfa4366b"]',1,'file',1);
INSERT INTO "claims" VALUES('d8ddee64-bdbd-4aa1-9b45-7edecfa4366b','bob',NULL,'coexist via request c378b91d-fd27-457f-9bce-64f35f4f8610','file','tools/build.py','soft','2026-11-25T10:48:04Z','2026-11-25T14:48:04Z',NULL,'org/app','sb','2026-11-25T10:48:04Z','["be1b24c0-ef9f-4886-aa1e-7d7cc00d4211"]',0,'file',1);
INSERT INTO "claims" VALUES('dc1c8da0-7618-43e8-984d-c64671c5a378','alice',NULL,NULL,'file','old.py','soft','2026-11-25T10:48:04Z','2026-11-25T10:53:04Z','2026-11-25T10:48:04Z','org/app','sa','2026-11-25T10:48:04Z',NULL,1,'file',1);
INSERT INTO "claims" VALUES('4490e3b9-fbf3-4f95-949a-6ce740ed53c3','grace',NULL,NULL,'file','docs/x.md','soft','2026-11-25T10:48:04Z','2026-11-25T14:48:04Z',NULL,'org/app',NULL,NULL,NULL,0,'file',1);
CREATE TABLE conflict_log (
    id TEXT PRIMARY KEY,
    claim_id TEXT NOT NULL,
    attempted_by TEXT NOT NULL,
    attempted_pattern TEXT NOT NULL,
    resolution TEXT,
    created_at TEXT NOT NULL, attempted_session_id TEXT,
    FOREIGN KEY (claim_id) REFERENCES claims(id)
);
INSERT INTO "conflict_log" VALUES('927ea1cd-1c3c-4df2-9b89-ff5a48c69159','4490e3b9-fbf3-4f95-949a-6ce740ed53c3','heidi','docs/x.md',NULL,'2026-11-25T10:48:04Z',NULL);
CREATE TABLE ownership_config (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    yaml_text TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
INSERT INTO "ownership_config" VALUES(1,'modules:
  shared:
    paths: ["CHANGES.md"]
    owners: [dave]
    severity: hard
','2026-11-25T10:48:03Z');
CREATE TABLE request_events (
    id TEXT PRIMARY KEY,
    request_id TEXT,
    event_type TEXT NOT NULL,
    actor_engineer TEXT,
    actor_session_id TEXT,
    detail TEXT,
    created_at TEXT NOT NULL,
    FOREIGN KEY (request_id) REFERENCES requests(id)
);
INSERT INTO "request_events" VALUES('c26c6668-121b-420b-930d-3b58f517055b',NULL,'auto-narrow',NULL,NULL,'{"holder_claim_id": "0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "requester_claim_id": "310392b2-9cb7-4fb3-8c2a-903580239ee8", "overlapping_paths": ["<unknown>"], "overlapping_symbols": [{"file": "src/auth/x.py", "symbols": ["K::m", "f"]}]}','2026-11-25T10:48:03Z');
INSERT INTO "request_events" VALUES('0e1e240c-50b3-4dea-bbdd-3f10ea54d611',NULL,'auto-narrow',NULL,NULL,'{"holder_claim_id": "0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "requester_claim_id": "a0289c5e-87f6-4256-8412-a23666bf6d93", "overlapping_paths": ["<unknown>"], "overlapping_symbols": [{"file": "src/auth/x.py", "symbols": ["g"]}]}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('15eeb516-0ba4-491a-9a5d-04f9f63a7244',NULL,'auto-coexist',NULL,NULL,'{"holder_claim_id": "310392b2-9cb7-4fb3-8c2a-903580239ee8", "requester_claim_id": "a0289c5e-87f6-4256-8412-a23666bf6d93", "overlapping_paths": ["<unknown>"], "overlapping_symbols": []}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('ee634924-4d6f-45c1-b7ea-acfce1b0e7ac','0bc54a3b-5b19-4966-a698-add05b4df967','filed','bob','sb','{"claim_id": "0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "pattern": "src/auth/**", "requested_scope": "src/auth/y.py", "urgency": "normal", "reason": "one line", "original_expires_at": "2026-11-25T14:48:03Z", "shortened_expires_at": "2026-11-25T10:53:04Z"}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('fd3ef29b-e631-4291-b785-88cae54c91d0','0bc54a3b-5b19-4966-a698-add05b4df967','responded','alice','sa','{"decision": "denied", "note": "busy"}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('8f1ad4be-76ba-4f8c-b660-42d4edc14eb8','7e99e6f0-fef1-417a-b267-dead528932e3','filed','carol','sc','{"claim_id": "0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "pattern": "src/auth/**", "requested_scope": null, "urgency": "high", "reason": "two lines", "original_expires_at": "2026-11-25T14:48:03Z", "shortened_expires_at": "2026-11-25T10:53:04Z"}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('71d86f1e-6462-4bfd-b683-9d0833e900ce','c378b91d-fd27-457f-9bce-64f35f4f8610','filed','bob','sb','{"claim_id": "be1b24c0-ef9f-4886-aa1e-7d7cc00d4211", "pattern": "tools/**", "requested_scope": null, "urgency": "normal", "reason": null, "original_expires_at": "2026-11-25T14:48:04Z", "shortened_expires_at": "2026-11-25T10:53:04Z"}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('e1737be4-8b8e-49f4-af44-9d1afb15401a','c378b91d-fd27-457f-9bce-64f35f4f8610','responded','alice','sa','{"decision": "coexist", "note": null, "coexist_pattern": "tools/build.py", "holder_claim_id": "be1b24c0-ef9f-4886-aa1e-7d7cc00d4211", "requester_claim_id": "d8ddee64-bdbd-4aa1-9b45-7edecfa4366b"}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('755cdce2-54ae-4824-acac-3771e6c46f34','67ee05ce-2270-4ade-ac5a-f792b03ffa10','filed','bob',NULL,'{"claim_id": "dc1c8da0-7618-43e8-984d-c64671c5a378", "pattern": "old.py", "requested_scope": null, "urgency": "normal", "reason": null, "original_expires_at": "2026-11-25T14:48:04Z", "shortened_expires_at": "2026-11-25T10:53:04Z"}','2026-11-25T10:48:04Z');
INSERT INTO "request_events" VALUES('5723d5da-3329-464a-8fd2-7714a030e070','67ee05ce-2270-4ade-ac5a-f792b03ffa10','resolved',NULL,NULL,'{"release_kind": "voluntary", "claim_id": "dc1c8da0-7618-43e8-984d-c64671c5a378"}','2026-11-25T10:48:04Z');
CREATE TABLE requests (
            id TEXT PRIMARY KEY,
            claim_id TEXT NOT NULL,
            requester_engineer TEXT NOT NULL,
            requester_session_id TEXT,
            requested_pattern TEXT NOT NULL,
            reason TEXT,
            urgency TEXT NOT NULL DEFAULT 'normal',
            decision TEXT NOT NULL DEFAULT 'pending',
            decided_at TEXT,
            decided_by_engineer TEXT,
            decided_by_session_id TEXT,
            note TEXT,
            original_expires_at TEXT NOT NULL,
            shortened_expires_at TEXT NOT NULL,
            created_at TEXT NOT NULL, requested_scope TEXT,
            FOREIGN KEY (claim_id) REFERENCES claims(id)
        );
INSERT INTO "requests" VALUES('0bc54a3b-5b19-4966-a698-add05b4df967','0cfee058-6bae-4ef2-8a2f-01c5917f81dc','bob','sb','src/auth/**','one line','normal','denied','2026-11-25T10:48:04Z','alice','sa','busy','2026-11-25T14:48:03Z','2026-11-25T10:53:04Z','2026-11-25T10:48:04Z','src/auth/y.py');
INSERT INTO "requests" VALUES('7e99e6f0-fef1-417a-b267-dead528932e3','0cfee058-6bae-4ef2-8a2f-01c5917f81dc','carol','sc','src/auth/**','two lines','high','pending',NULL,NULL,NULL,NULL,'2026-11-25T14:48:03Z','2026-11-25T10:53:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "requests" VALUES('c378b91d-fd27-457f-9bce-64f35f4f8610','be1b24c0-ef9f-4886-aa1e-7d7cc00d4211','bob','sb','tools/**',NULL,'normal','coexist','2026-11-25T10:48:04Z','alice','sa',NULL,'2026-11-25T14:48:04Z','2026-11-25T10:53:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "requests" VALUES('67ee05ce-2270-4ade-ac5a-f792b03ffa10','dc1c8da0-7618-43e8-984d-c64671c5a378','bob',NULL,'old.py',NULL,'normal','resolved','2026-11-25T10:48:04Z',NULL,NULL,NULL,'2026-11-25T14:48:04Z','2026-11-25T10:53:04Z','2026-11-25T10:48:04Z',NULL);
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
);
INSERT INTO "schema_version" VALUES(1,13);
CREATE TABLE webhook_outbox (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    event_type TEXT NOT NULL,
    payload_json TEXT NOT NULL,
    hmac_signature TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    retry_count INTEGER NOT NULL DEFAULT 0,
    last_attempt_at TEXT,
    last_error TEXT,
    next_attempt_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    delivered_at TEXT
);
INSERT INTO "webhook_outbox" VALUES('0157b5e6-64ef-4692-94c1-e5bd3d81403f','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["0cfee058-6bae-4ef2-8a2f-01c5917f81dc"], "engineer": "alice", "repo": "org/app", "session_id": "sa"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:03Z"}','07b9296aad2d32fc6ee33218886af4e800a3d1e8bd4119e4a3aebc4a85b437ad','pending',0,NULL,NULL,'2026-11-25T10:48:03Z','2026-11-25T10:48:03Z',NULL);
INSERT INTO "webhook_outbox" VALUES('fe1e9d3b-f151-44b6-a733-490b82c02476','http://127.0.0.1:9/hook','auto-narrow','{"detail": {"holder_claim_id": "0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "overlapping_paths": ["<unknown>"], "overlapping_symbols": [{"file": "src/auth/x.py", "symbols": ["K::m", "f"]}], "requester_claim_id": "310392b2-9cb7-4fb3-8c2a-903580239ee8"}, "event_type": "auto-narrow", "timestamp": "2026-11-25T10:48:03Z"}','04a73c6a30689b355a874de5086f5e35b816b5ed56c9a41218bdb50c86083be2','pending',0,NULL,NULL,'2026-11-25T10:48:03Z','2026-11-25T10:48:03Z',NULL);
INSERT INTO "webhook_outbox" VALUES('70dab420-e269-4723-818e-fa8e3cff85ab','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["310392b2-9cb7-4fb3-8c2a-903580239ee8"], "engineer": "bob", "repo": "org/app", "session_id": "sb"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:03Z"}','c78f9893a5106d7ceb5302fb37b6d6a2fa49bfe51ffa52e6520e094c191ce3a7','pending',0,NULL,NULL,'2026-11-25T10:48:03Z','2026-11-25T10:48:03Z',NULL);
INSERT INTO "webhook_outbox" VALUES('b76f20be-4478-42d5-bceb-7a765049a92d','http://127.0.0.1:9/hook','auto-narrow','{"detail": {"holder_claim_id": "0cfee058-6bae-4ef2-8a2f-01c5917f81dc", "overlapping_paths": ["<unknown>"], "overlapping_symbols": [{"file": "src/auth/x.py", "symbols": ["g"]}], "requester_claim_id": "a0289c5e-87f6-4256-8412-a23666bf6d93"}, "event_type": "auto-narrow", "timestamp": "2026-11-25T10:48:04Z"}','d04636dbc4e1fb3f2c971a19988b4a514dfe5acaa0a0c301aa9a02c9aa8518db','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('086e0b52-cab0-4b18-b817-c7f8a9afbc6f','http://127.0.0.1:9/hook','auto-coexist','{"detail": {"holder_claim_id": "310392b2-9cb7-4fb3-8c2a-903580239ee8", "overlapping_paths": ["<unknown>"], "overlapping_symbols": [], "requester_claim_id": "a0289c5e-87f6-4256-8412-a23666bf6d93"}, "event_type": "auto-coexist", "timestamp": "2026-11-25T10:48:04Z"}','83792ec3e906df0f2b471cb6d0d91b35cfe3d6aec78df354ed7dfef02ace3113','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('4c921480-bfc4-4c00-98d0-5b79492b50b8','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["a0289c5e-87f6-4256-8412-a23666bf6d93"], "engineer": "carol", "repo": "org/app", "session_id": "sc"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','114dc87e2b8dd5b9d908496453c85fe240ab680f304922f26c892d6bbc8c6009','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('1c6103dc-2d19-4a2b-8372-80254b569f8d','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["850a65f4-050c-4e66-a2a7-8693ce6914a5"], "engineer": "dave", "repo": "org/app", "session_id": null}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','2b2c97078d1ea8b6362619beb4763f928d51cd90a81cc2264ddfa1db85b26387','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('253cc0d8-473a-4305-8ce4-2a3674cf7384','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["ce6aada4-e83d-4a42-b4fd-d6e5c604b521"], "engineer": "dave", "repo": null, "session_id": null}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','aea7feaa9136c3033ca7c9e7498a6e1aa125a2f3dd5857425d1d9533dc262369','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('2238ce66-a5e7-43c2-b928-ca71fa578745','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["3b507f93-86ea-4252-b9cc-e792b2fb8831"], "engineer": "erin", "repo": "org/app", "session_id": "se"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','8c1f43dac6acf4bfce869501d8f674c5d67290ada34c2ce287c9595160a452a2','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('e00aaac9-f9f0-4f92-b881-a71631c28054','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["baf79d6f-6353-41f1-9b74-0fd5037c6a23"], "engineer": "frank", "repo": "org/app", "session_id": "sf"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','4713d1d5410f22156c16071518bbc4c581bb757b7d21d1ed2e5196d23b712ce5','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('cf70dc72-5ecb-4106-ba89-b45096634db0','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["6a072fc9-d699-4eff-9074-a2545c519211"], "engineer": "erin", "repo": "not a repo!", "session_id": null}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','3623a15a1e071ae9e6b6407d03afe5132d6da77de3a372e5b6f56b146d1e4072','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('bcb065f7-c032-4638-9528-1a5aa50ce6fc','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["be1b24c0-ef9f-4886-aa1e-7d7cc00d4211"], "engineer": "alice", "repo": "org/app", "session_id": "sa"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','ed7a6cad5c741fa71536ac9a0283102094444e880f1a448eaaa318828d0a45be','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('8c0dc728-6cf6-4607-9ef8-67c3a5ef9620','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["dc1c8da0-7618-43e8-984d-c64671c5a378"], "engineer": "alice", "repo": "org/app", "session_id": "sa"}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','b2976f4d27efe23e1a7a33c8f17480be7b307f27b5d621cdd04e165569816d23','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
INSERT INTO "webhook_outbox" VALUES('c366d908-1653-4b3c-850a-67e62ebd861d','http://127.0.0.1:9/hook','claim_granted','{"detail": {"claim_ids": ["4490e3b9-fbf3-4f95-949a-6ce740ed53c3"], "engineer": "grace", "repo": "org/app", "session_id": null}, "event_type": "claim_granted", "timestamp": "2026-11-25T10:48:04Z"}','d7cf94432bb09be946943775637aec94204f3b4dc88112331382ff338be23d96','pending',0,NULL,NULL,'2026-11-25T10:48:04Z','2026-11-25T10:48:04Z',NULL);
CREATE INDEX idx_claims_active ON claims (released_at, expires_at);
CREATE INDEX idx_claims_engineer ON claims (engineer);
CREATE INDEX idx_requests_claim ON requests (claim_id);
CREATE INDEX idx_requests_decision ON requests (decision);
CREATE INDEX idx_requests_requester ON requests (requester_engineer);
CREATE INDEX idx_claim_symbols_file_symbol ON claim_symbols (file_path, symbol_name);
CREATE INDEX idx_claim_symbols_claim ON claim_symbols (claim_id);
CREATE INDEX idx_request_events_request ON request_events (request_id);
CREATE INDEX idx_request_events_created ON request_events (created_at);
CREATE INDEX idx_claim_symbols_file_parent ON claim_symbols (file_path, parent_symbol);
CREATE INDEX idx_claim_queue_blocking ON claim_queue (blocking_claim_id, state, position);
CREATE INDEX idx_claim_queue_requester ON claim_queue (requester_engineer, state);
CREATE INDEX idx_claim_queue_blocking_priority ON claim_queue (blocking_claim_id, state, priority, position);
CREATE INDEX idx_webhook_outbox_pending ON webhook_outbox (status, next_attempt_at);
CREATE INDEX idx_webhook_outbox_event_type ON webhook_outbox (event_type, created_at);
COMMIT;
