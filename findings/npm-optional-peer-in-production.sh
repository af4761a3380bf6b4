#!/bin/sh
# npm 10.9.4 and 11.6.2; valibot 1.1.0 (a dependency whose optional peer is typescript) and typescript 5.8.3
# (a development dependency).
# Expected before measuring: `npm ci --omit=dev` installs only valibot. typescript is only a development dependency, and an
#   optional peer alone never causes an installation.
# Observed: typescript is installed (23 MB). The lockfile marks it "devOptional", because both want it, and
#   --omit=dev leaves out only what is marked "dev". --omit=dev --omit=optional leaves it out, although
#   valibot's optional peer is not an optional dependency.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >package.json <<'JSON'
{"name": "try", "version": "1.0.0", "private": true, "dependencies": {"valibot": "1.1.0"}, "devDependencies": {"typescript": "5.8.3"}}
JSON
for version in 10.9.4 11.6.2; do
	rm -rf node_modules package-lock.json
	npx --yes "npm@$version" install --package-lock-only --silent --no-audit --no-fund
	echo "npm $version: $(node -p 'JSON.stringify({devOptional: require("./package-lock.json").packages["node_modules/typescript"].devOptional})')"
	npx --yes "npm@$version" ci --omit=dev --silent --no-audit --no-fund
	echo "--omit=dev: $(ls -m node_modules)"
	npx --yes "npm@$version" ci --omit=dev --omit=optional --silent --no-audit --no-fund
	echo "--omit=dev --omit=optional: $(ls -m node_modules)"
done | tee seen.txt
cat >expected.txt <<'TXT'
npm 10.9.4: {"devOptional":true}
--omit=dev: typescript, valibot
--omit=dev --omit=optional: valibot
npm 11.6.2: {"devOptional":true}
--omit=dev: typescript, valibot
--omit=dev --omit=optional: valibot
TXT
diff -u expected.txt seen.txt && echo 'Still the same.'
