/** The script that the bench compares with: it traces its connections, and leaves no process behind. */

import {readdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {packageRoot} from '../../testbed/system/package-root.js';
import {isLeftOut} from '../helpers/left-out.js';
import {defaultDump, systemPath} from './_run.js';

test('by hand: every connection is traced, and no process or namespace is left', async t => {
	if (isLeftOut(t, {program: 'nc'})) {
		return;
	}

	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const dump = path.join(folder, 'rules');
	writeFileSync(dump, defaultDump());
	// In a PID namespace of its own: what is left in it is the script's, and ends with it.
	const inside = String.raw`sh "$0" "$1"; status=$?; for process in /proc/[0-9]*; do [ "$process" = "/proc/$$" ] || { printf "left: "; tr "\0" " " <"$process/cmdline"; echo; }; done; exit $status`;
	const {exitCode, stdout, stderr} = await execa('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', inside, path.join(packageRoot, 'testbed/bench/by-hand.sh'), dump], {
		env: {PATH: systemPath}, reject: false, timeout: 120_000,
	});
	t.is(exitCode, 0, stderr);
	t.is(stderr, '', 'each connection was answered');
	t.deepEqual(stdout.split('\n').filter(line => line.startsWith('left: ')), []);
	// Of the packets that are sent, each enters the table of the script once.
	t.true(new Set([...stdout.matchAll(/^trace id (?<id>\w+) ip by_hand output packet: .*tcp flags == syn/gmu)].map(({groups}) => groups!['id'])).size >= 6, stdout);
	t.deepEqual(namespacesByHand(), []);
});

function namespacesByHand(): readonly string[] {
	try {
		return readdirSync('/run/netns').filter(name => name.startsWith('by-hand-'));
	} catch {
		return []; // There is no such folder before the first one with a name.
	}
}
