const CONNECTION = `Where Redis is; without any of these, what REDIS_URL and the other REDIS_* variables say:
  redis://host:6379/0             one server; rediss:// for TLS
  --sentinels host:port,...       the sentinels, with --master-name <name>
  --standalone host:port,...      beside sentinels: what is tried without them
  --cluster host:port,...         some nodes of a Redis Cluster

How it is reached:
  --username <name>               ACL user, or REDIS_USERNAME
  --password-stdin                password from standard input; or set REDIS_PASSWORD
  --password <password>           readable by every user of this machine while it runs
  --sentinel-username <name>, --sentinel-password <password>, or REDIS_SENTINEL_PASSWORD
  --tls, --sentinel-tls           TLS to the servers, to the sentinels
  --tls-ca <file>                 authority to trust, in PEM
  --tls-servername <name>         name that the certificate has
  --db <number>                   database, 0 by default
  --prefix <text>                 of all keys, rc by default
  --timeout <duration>            deadline the cache is configured with, 50ms by default`

export const USAGE = `Usage: resilient-cache <command> [options]

  doctor [url]     looks at Redis as the cache would use it: what is wrong, and what to do
  inspect <key>    what is stored under a key, and whether the cache would use it

  resilient-cache <command> --help   shows the options
`

export const DOCTOR_USAGE = `Usage: resilient-cache doctor [url] [options]

Looks at Redis as the cache would use it. Writes only keys of its own below the prefix, and deletes them.

${CONNECTION}

Output:
  --json                          for programs
  --strict                        warnings fail too

Exit code: 0 no problems, 1 problems, 2 bad usage.
`

export const INSPECT_USAGE = `Usage: resilient-cache inspect <key> [url] [options]

Shows what is stored under a key, as fn.key(...) gives it, and whether the cache would use it.
Changes nothing.

  --cache <name>                  name of the cache; by default the first part of the key
  --show-value                    the value too
  --json                          for programs

${CONNECTION}

Exit code: 0 the cache would use it, 1 not found or of no use, 2 bad usage.
`
