/** How CI gets the schemas of GitLab's and GitHub's files. */

import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {isolated, load} from './_setup.js';

const {installSchemas, pinned, schemaFile, schemasStand} = load('ci-schemas');

/** A `python3` that does what pip and zipfile do. */
function writePython(bin: string, names: readonly string[]): void {
	fs.writeFileSync(path.join(bin, 'python3'), `#!/bin/sh
PATH=/usr/bin:/bin
case "$*" in
	*pip*) cp "\${12}" "$(dirname "$0")/requirements"; : > "\${10}/check.whl" ;;
	*zipfile*) mkdir -p "$5/check_jsonschema/builtin_schemas/vendor"; cd "$5/check_jsonschema/builtin_schemas/vendor"; for name in ${names.join(' ')} other; do echo {} > "$name.json"; done ;;
esac
`, {mode: 0o755});
}

test('pip downloads the package and checks its sum, and only the schemas are kept', async t => {
	await using context = await isolated();
	writePython(context.bin, ['gitlab-ci', 'github-actions', 'github-workflows', 'github-issue-forms']);
	t.false(schemasStand(context));
	installSchemas({...context, env: {PATH: context.bin}});
	t.true(schemasStand(context));
	t.is(fs.readFileSync(schemaFile(context.root, 'gitlab-ci'), 'utf8'), '{}\n');
	t.is(fs.readFileSync(path.join(context.bin, 'requirements'), 'utf8'), `check-jsonschema==${pinned.version} --hash=sha256:${pinned.sha256[0]!}\n`);
	t.deepEqual(fs.readdirSync(path.join(context.root, '.tools')), [`ci-schemas-${pinned.version}`]);
	t.deepEqual(fs.readdirSync(path.dirname(schemaFile(context.root, 'gitlab-ci'))), ['github-actions.json', 'github-issue-forms.json', 'github-workflows.json', 'gitlab-ci.json']);
	t.true(pinned.sha256.every(sum => /^[\da-f]{64}$/u.test(sum)));
});

test('goes red: a package without one of them, and nothing is left', async t => {
	await using context = await isolated();
	writePython(context.bin, ['gitlab-ci', 'github-actions']);
	t.throws(() => {
		installSchemas({...context, env: {PATH: context.bin}});
	}, {message: /ENOENT.*github-workflows/u});
	t.false(schemasStand(context));
	t.deepEqual(fs.readdirSync(path.join(context.root, '.tools')), []);
});

test('goes red: no Python', async t => {
	await using context = await isolated();
	const error = t.throws<Error & {state: string}>(() => {
		installSchemas({...context, env: {PATH: context.bin}});
	});
	t.regex(error.message, /ENOENT/u);
	t.is(error.state, 'The schemas were not installed.');
});
