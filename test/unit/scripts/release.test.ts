import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {root} from './_setup.js';

type Release = {notesOf: (changelog: string, version: string) => string; versionOfTag: (tag: string, version: string) => string};

const {notesOf, versionOfTag} = await import(path.join(root, 'scripts/package/release.mjs')) as Release;

const changelog = `# Changelog

## Unreleased

- not yet

## [1.10.0] - 2026-12-24

### Added

- \`a\` ## b

## 1.1.0

- first

## 1.0.0
`;

test('the notes of a version are its section alone', t => {
	t.is(notesOf(changelog, '1.10.0'), '### Added\n\n- `a` ## b\n');
	t.is(notesOf(changelog, '1.1.0'), '- first\n');
});

for (const [version, message] of [['1.1', /has no section for 1\.1\./u], ['2.0.0', /Rename "Unreleased"/u], ['1.0.0', /is empty/u]] as const) {
	test(`no notes: ${version}`, t => {
		t.throws(() => notesOf(changelog, version), {message});
	});
}

test('a tag is that of the version', t => {
	t.is(versionOfTag('v1.2.3', '1.2.3'), '1.2.3');
	t.throws(() => versionOfTag('1.2.3', '1.2.3'), {message: /Tag v1\.2\.3/u});
	t.throws(() => versionOfTag('v1.2.4', '1.2.3'), {message: /The tag is v1\.2\.4, but package\.json has version 1\.2\.3/u});
});

test('the command says what is wrong', async t => {
	const run = async (...given: readonly string[]) => execa(process.execPath, [path.join(root, 'scripts/release-notes.mjs'), ...given], {reject: false});
	const other = await run('--tag', 'v0.0.0');
	t.is(other.exitCode, 1);
	t.regex(other.stderr, /^The tag is v0\.0\.0/u);
	const unused = await run();
	t.is(unused.exitCode, 2);
	const helped = await run('--help');
	t.is(helped.exitCode, 0);
});
