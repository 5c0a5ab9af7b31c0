-- Two roles: `water2_owner` owns the tables and migrates (WATER2_DATABASE_ADMIN_URL); `water2` is the
-- application's (WATER2_DATABASE_URL) and cannot write the ledger but through the append function.
-- `water2 db upgrade` grants what is needed. Set both passwords before use: ALTER ROLE … PASSWORD …
CREATE ROLE water2_owner LOGIN;
CREATE ROLE water2 LOGIN;
ALTER DATABASE water2 OWNER TO water2_owner;
ALTER SCHEMA public OWNER TO water2_owner;
