/** What names a person or a machine does not get into a bug report. */

import process from 'node:process';
import test from 'ava';
import {privateNamesOfProcess, Redactor} from '../../../../../testbed/cli/report/redact.js';

const names = {
	homes: ['/home/alice'], users: ['alice', 'bob.k'], hosts: ['build7.example.com', 'build7'], folders: ['/home/alice/secret-customer'],
};

for (const [given, expected] of [
	['/home/alice/x.rules', '~/x.rules'],
	['/home/alice', '~'],
	['/home/alice/secret-customer/x.rules', './x.rules'],
	['/home/alice/secret-customer2/x.rules', '~/secret-customer2/x.rules'],
	['"/home/carol/y", /Users/dan/z', '"~/y", ~/z'],
	['file:///root/x and /root', 'file://~/x and ~'],
	['/proc/4711/root/etc', '/proc/4711/root/etc'],
	['/rootfs/x', '/rootfs/x'],
	['alice@build7.example.com: alice\'s', 'USER@HOST: USER\'s'],
	['bob.k on build7, bobxk', 'USER on HOST, bobxk'],
	['malice alice2 build70 re-alice', 'malice alice2 build70 re-alice'],
	['needs root, 10.96.0.1, ISTIO_OUTPUT', 'needs root, 10.96.0.1, ISTIO_OUTPUT'],
] as const) {
	test(`${given} → ${expected}`, t => {
		t.is(new Redactor(names).text(given), expected);
	});
}

test('data is replaced at any depth, in keys as well, and counted', t => {
	const redactor = new Redactor(names);
	t.deepEqual(redactor.data({'/home/alice/a': [{by: 'alice', count: 3, none: null, ok: true}], host: 'build7'}), {'~/a': [{by: 'USER', count: 3, none: null, ok: true}], host: 'HOST'});
	t.deepEqual(redactor.replaced, {
		homes: 1, users: 1, hosts: 1, folders: 0,
	});
});

test('the names of this process: its folder is one; root and localhost are none', t => {
	const own = privateNamesOfProcess({
		HOME: '/srv/people/eve', USER: 'root', LOGNAME: 'eve', SUDO_USER: 'eve', HOSTNAME: 'localhost', PWD: '/',
	});
	t.true(own.homes.includes('/srv/people/eve'));
	t.true(own.users.includes('eve'));
	t.false([...own.users, ...own.hosts].some(name => ['root', 'localhost'].includes(name)));
	t.false(own.folders.includes('/'));
	t.true(own.folders.includes(process.cwd()));
});

test('without any names, the usual homes are replaced all the same', t => {
	t.is(new Redactor({
		homes: [], users: [], hosts: [], folders: [],
	}).text('/home/x/y in /tmp'), '~/y in /tmp');
});
