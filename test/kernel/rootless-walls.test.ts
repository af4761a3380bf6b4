/** What an ordinary user is told who cannot have a user namespace, or not one with a range of IDs; each wall is a real refusal of the kernel or of newuidmap. */

import test from 'ava';
import {isLeftOut} from '../helpers/left-out.js';
import {
	testbedAsUser, user, withoutUserNamespaces, type UserMachine,
} from './_user.js';

type Wall = {
	readonly title: string;
	readonly machine: UserMachine;
	/** The status of `run`; that of the doctor is 4. */
	readonly status: 3 | 4;
	readonly says: RegExp;
	readonly fix: string;
};

/** Where user namespaces are refused: the kernel creates none in a chroot (create_user_ns in kernel/user_namespace.c). */
const inChroot = {before: 'mkdir "$d/root"; mount --rbind / "$d/root"', around: 'exec chroot "$0/root" "$@"'} as const;
const addRange = `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name}`;

const walls: readonly Wall[] = [
	{
		title: 'no newuidmap', machine: {missing: ['newuidmap']}, status: 3, says: /has only UID 0: The program newuidmap is not installed/u, fix: 'sudo apt-get install -y uidmap',
	},
	{
		title: 'no newgidmap', machine: {missing: ['newgidmap']}, status: 3, says: /has only UID 0: The program newgidmap is not installed/u, fix: 'sudo apt-get install -y uidmap',
	},
	{
		title: 'no range of UIDs', machine: {subuid: 'other:1000:10\n', subgid: `${user.name}:100000:65536\n`}, status: 3, says: new RegExp(`${user.name} has no range of IDs in /etc/subuid`, 'u'),
		fix: `sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ${user.name}`,
	},
	{
		title: 'no range of GIDs', machine: {subuid: `${user.uid}:5000:65536\n`, subgid: ''}, status: 3, says: new RegExp(`${user.name} has no range of IDs in /etc/subgid`, 'u'), fix: addRange,
	},
	{
		title: 'a range too small for UID 1337', machine: {subuid: `${user.name}:20000:1000\n`}, status: 3, says: /UID 1337 \((?:proxy|the usual proxy)\) does not exist in this user namespace, which has only UIDs 0–1000/u, fix: addRange,
	},
	{
		title: 'a user without a name', machine: {isNamed: false, subuid: `${user.uid}:20000:65536\n`}, status: 3, says: new RegExp(`UID ${user.uid} has no name in /etc/passwd`, 'u'), fix: `sudo useradd --uid ${user.uid} --no-create-home testbed`,
	},
	{
		title: 'newuidmap that is not set-user-ID', machine: {plain: ['newuidmap']}, status: 3, says: /The IDs could not be mapped: newuidmap: .*Operation not permitted/su, fix: 'sudo apt-get install --reinstall -y uidmap',
	},
	{
		title: 'newgidmap that is not set-user-ID', machine: {plain: ['newgidmap']}, status: 3, says: /The IDs could not be mapped: newgidmap: .*Operation not permitted/su, fix: 'sudo apt-get install --reinstall -y uidmap',
	},
	{
		title: 'no_new_privs', machine: {around: 'exec setpriv --no-new-privs "$@"'}, status: 3, says: /may not gain privileges \(no_new_privs\)/u, fix: 'Start it without no_new_privs',
	},
	{
		title: 'user.max_user_namespaces=0', machine: {around: withoutUserNamespaces}, status: 4, says: /user\.max_user_namespaces is 0: no user may create user namespaces/u, fix: 'sudo sysctl -w user.max_user_namespaces=15000',
	},
	{
		title: 'Debian\'s kernel.unprivileged_userns_clone=0', machine: {...inChroot, kernelSysctls: {unprivileged_userns_clone: '0'}}, status: 4, says: /kernel\.unprivileged_userns_clone is 0/u,
		fix: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
	},
	{
		title: 'Ubuntu\'s kernel.apparmor_restrict_unprivileged_userns=1', machine: {...inChroot, kernelSysctls: {apparmor_restrict_unprivileged_userns: '1', unprivileged_userns_clone: '1'}}, status: 4,
		says: /kernel\.apparmor_restrict_unprivileged_userns is 1: AppArmor/u, fix: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
	},
	{
		title: 'refused for an unknown reason', machine: inChroot, status: 4, says: /A user namespace cannot be used: unshare: unshare failed: Operation not permitted/u, fix: 'Allow it in the machine\'s security policy',
	},
];

/** A text without its line breaks. */
function unwrapped(text: string): string {
	return text.replaceAll(/\s+/gu, ' ');
}

for (const {title, machine, status, says, fix} of walls) {
	test.serial(`${title}: told by run with status ${status}, and by the doctor with the line that mends it`, async t => {
		if (isLeftOut(t, {program: 'newuidmap'})) {
			return;
		}

		const run = await testbedAsUser(['run', '--types', '3'], machine);
		t.is(run.exitCode, status, run.stderr);
		t.is(run.stdout, '');
		t.regex(unwrapped(run.stderr), says);
		t.true(run.stderr.includes(`→ ${fix}`), run.stderr);
		const doctor = await testbedAsUser(['doctor'], machine);
		t.is(doctor.exitCode, 4, doctor.stderr);
		t.regex(unwrapped(doctor.stdout), says);
		t.true(doctor.stdout.includes(`→ ${fix}`), doctor.stdout);
		// It tries what a user namespace is not needed for, and nothing fails that only follows from the wall.
		t.regex(unwrapped(doctor.stdout), /the program ip; the program nft/u);
		t.notRegex(doctor.stdout, /modprobe/u);
	});
}

/** What iptables-legacy says where the kernel's tables are modules that nobody has loaded, as on a fresh Debian (seen on Linux 6.1): modprobe would need the machine's root. */
const withoutLegacyTables = String.raw`
cat >"$d/legacy" <<'END'
#!/bin/sh
echo "iptables-restore v1.8.9 (legacy): iptables-restore: unable to initialize table 'nat'" >&2
exit 2
END
chmod 755 "$d/legacy"
mount --bind "$d/legacy" "$(readlink -f "$(command -v iptables-legacy-restore)")"
`;

test.serial('tables of iptables-legacy that are not loaded: the line for root, and the other back ends go on', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const doctor = await testbedAsUser(['doctor'], {before: withoutLegacyTables});
	t.is(doctor.exitCode, 4, doctor.stderr);
	t.regex(doctor.stdout, /✖ iptables-legacy, ipv4: nat table\n {4}needs iptable_nat\n[\s\S]*? {4}→ sudo modprobe iptable_nat\n/u);
	t.notRegex(doctor.stdout, /✖ (?:iptables-nft|nftables)/u);
	const run = await testbedAsUser(['run', '--backend', 'all', '--types', '3'], {before: withoutLegacyTables});
	t.is(run.exitCode, 3, run.stderr);
	t.regex(run.stdout, /2 passed, 0 failed, 1 inconclusive/u);
	t.regex(run.stdout.replaceAll(/\s+/gu, ' '), /→ sudo modprobe iptable_nat/u);
});

test.serial('all back ends: each inconclusive with its reason, and the status is that of inconclusive', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {exitCode, stdout, stderr} = await testbedAsUser(['run', '--backend', 'all', '--format', 'json'], {subuid: ''});
	t.is(exitCode, 3, stderr);
	t.is(stdout, '');
	t.regex(stderr, /UID 1337 \(proxy\) does not exist in this user namespace/u);
});

test.serial('with one ID, what root sends on nftables is told, the rest is inconclusive, and nothing passes', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const lines = [{to: 'remote:8080', uid: 0}, {to: 'remote:8080', uid: 1337}, {from: 'remote', to: 'pod:8080'}];
	const input = lines.map(line => `${JSON.stringify(line)}\n`).join('');
	const one = await testbedAsUser(['probe', '--batch', '-', '--backend', 'nftables'], {subuid: '', input});
	t.is(one.exitCode, 3, one.stderr);
	const answers = one.stdout.trim().split('\n').map(line => JSON.parse(line) as {stops: readonly string[]; outcome: string; gaps: ReadonlyArray<{message: string}>});
	t.deepEqual(answers.map(({stops, outcome}) => [outcome, stops]), [['delivered', ['proxy:15001']], ['inconclusive', []], ['delivered', ['proxy:15006']]]);
	t.regex(answers[1]!.gaps[0]!.message, /UID 1337 .* has only UID 0: testbed-user has no range of IDs in \/etc\/subuid\. → sudo usermod/u);
	// The kernel takes no owner rule of iptables then.
	const iptables = await testbedAsUser(['probe', '--batch', '-', '--backend', 'iptables-legacy'], {subuid: '', input});
	t.is(iptables.exitCode, 3, iptables.stderr);
	t.is(iptables.stdout, '');
	t.regex(iptables.stderr, /UID 1337 \(ISTIO_OUTPUT#\d\) does not exist/u);
	// With a range, the same lines are all answered.
	const range = await testbedAsUser(['probe', '--batch', '-', '--backend', 'nftables'], {input});
	t.is(range.exitCode, 0, range.stderr);
	t.false(range.stdout.includes('inconclusive'));
});

test.serial('a user far beyond the range: users that exist are answered, it is not, and the line has as many IDs as it takes', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const lines = [{to: 'remote:8080', uid: 65_536}, {to: 'remote:8080', uid: 1_000_000}, {to: 'remote:8080', uid: 4_294_967_294}];
	const {exitCode, stdout, stderr} = await testbedAsUser(['probe', '--batch', '-'], {input: lines.map(line => `${JSON.stringify(line)}\n`).join(''), subuid: `${user.name}:100000:65536\n`});
	t.is(exitCode, 3, stderr);
	const [within, beyond, far] = stdout.trim().split('\n');
	t.regex(within!, /"outcome":"delivered"/u);
	t.regex(beyond!, /UID 1000000 \(app\) does not exist in this user namespace, which has only UIDs 0–65536\. → sudo usermod --add-subuids 165536-1099999 --add-subgids 165536-1099999 testbed-user/u);
	t.regex(far!, /→ Run it as root: a user cannot have so many IDs\./u);
});

test.serial('a comparison with one ID is inconclusive, never equal', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const given = ['diff', 'release:1.30', 'release:1.30', '--backend', 'nftables', '--family', 'ipv4'];
	const one = await testbedAsUser(given, {subuid: ''});
	t.is(one.exitCode, 3, one.stderr);
	t.regex(one.stdout, /Inconclusive/u);
	const range = await testbedAsUser(given);
	t.is(range.exitCode, 0, range.stderr);
});

test.serial('a /proc of which parts are hidden, as in a container: the rule tools are not run, and the doctor says which wall cannot stand', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const hidden = {before: 'mount --bind "$d/empty" /proc/version'};
	const run = await testbedAsUser(['run', '--types', '3'], hidden);
	t.is(run.exitCode, 4, run.stderr);
	t.regex(run.stderr, /The rule tools cannot be confined on this machine: mounting \/proc/u);
	t.regex(run.stderr, /→ .*parts of \/proc are hidden/u);
	const doctor = await testbedAsUser(['doctor'], hidden);
	t.is(doctor.exitCode, 4);
	t.regex(doctor.stdout, /✖ rule tools confined: their own root, PID namespace and capabilities/u);
});
