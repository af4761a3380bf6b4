/** What forbids a user namespace, or a range of IDs in it, by the facts of a machine. */

import test from 'ava';
import {creationWall, mappingWall, type MappingFacts} from '../../../../testbed/rootless/walls.js';

/** A machine that forbids nothing. */
const open: Readonly<Record<string, string>> = {
	'/proc/sys/user/max_user_namespaces': '96365', '/proc/sys/user/max_net_namespaces': '96365', '/proc/self/uid_map': '0 0 4294967295', '/proc/self/status': 'NoNewPrivs:\t0\nSeccomp:\t0',
};

const creation: ReadonlyArray<readonly [title: string, facts: Readonly<Record<string, string | undefined>>, said: string, message: RegExp, fix: RegExp]> = [
	['no user namespaces', {'/proc/sys/user/max_user_namespaces': '0'}, 'unshare failed: No space left on device', /^user\.max_user_namespaces is 0: no user may create user namespaces\.$/u, /^sudo sysctl -w user\.max_user_namespaces=15000$/u],
	['no network namespaces', {'/proc/sys/user/max_net_namespaces': '0'}, 'No space left on device', /^user\.max_net_namespaces is 0/u, /^sudo sysctl -w user\.max_net_namespaces=15000$/u],
	['an older Debian', {'/proc/sys/kernel/unprivileged_userns_clone': '0'}, 'Operation not permitted', /^kernel\.unprivileged_userns_clone is 0/u, /^sudo sysctl -w kernel\.unprivileged_userns_clone=1$/u],
	['Ubuntu 24.04', {'/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1'}, 'Operation not permitted', /^kernel\.apparmor_restrict_unprivileged_userns is 1: AppArmor/u, /^sudo sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0$/u],
	['both allowed', {'/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '0', '/proc/sys/kernel/unprivileged_userns_clone': '1'}, 'unshare: odd', /^A user namespace cannot be used: unshare: odd$/u, /security policy/u],
	['too many of them', {}, 'unshare failed: No space left on device', /^There are too many user namespaces/u, /^sudo sysctl -w user\.max_user_namespaces=15000/u],
	['a container', {'/proc/self/status': 'Seccomp:\t2'}, 'Operation not permitted', /^A seccomp filter forbids user namespaces, as in a container: Operation not permitted$/u, /seccomp=unconfined/u],
	['a kernel without them', {'/proc/self/uid_map': undefined}, 'Invalid argument', /^This kernel has no user namespaces\.$/u, /USER_NS/u],
];

for (const [title, facts, said, message, fix] of creation) {
	test(`a user namespace cannot be created: ${title}`, t => {
		const all = {...open, ...facts};
		const wall = creationWall(said, file => all[file as keyof typeof all]);
		t.regex(wall.message, message);
		t.regex(wall.fix, fix);
	});
}

const user: MappingFacts = {uid: 4242, name: 'joe', firstFree: 100_000, said: ''};

const mapping: ReadonlyArray<readonly [title: string, facts: Partial<MappingFacts>, status: string, message: RegExp | undefined, fix?: RegExp]> = [
	['nothing in the way', {}, '', undefined],
	['no name', {name: undefined}, '', /^UID 4242 has no name in \/etc\/passwd/u, /^sudo useradd --uid 4242/u],
	['no program', {missing: 'newuidmap'}, '', /^The program newuidmap is not installed/u, /^sudo apt-get install -y uidmap$/u],
	['no range', {withoutRange: '/etc/subgid'}, '', /^joe has no range of IDs in \/etc\/subgid\.$/u, /^sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 joe$/u],
	['refused', {said: 'newuidmap: uid range [1-10) -> [5-14) not allowed'}, 'NoNewPrivs:\t0', /^The IDs could not be mapped: newuidmap: uid range/u, /--reinstall -y uidmap/u],
	['no new privileges', {said: 'newuidmap: write to uid_map failed'}, 'NoNewPrivs:\t1', /^This process may not gain privileges \(no_new_privs\)/u, /without no_new_privs/u],
];

for (const [title, facts, status, message, fix] of mapping) {
	test(`only one ID: ${title}`, t => {
		const wall = mappingWall({...user, ...facts}, () => status);
		if (message === undefined) {
			t.is(wall, undefined);
			return;
		}

		t.regex(wall!.message, message);
		t.regex(wall!.fix, fix!);
	});
}
