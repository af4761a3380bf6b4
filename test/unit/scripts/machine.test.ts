import test from 'ava';
import {load, type Problem} from './_setup.js';

const {checkNode, checkPlatform, checkRoot} = load('machine');

for (const version of ['12.22.12', '18.20.4', '20.9.0', '20.18.3']) {
	test(`Node ${version} is refused, with a way to get a newer one`, t => {
		const problem = t.throws<Problem>(() => {
			checkNode(version);
		});
		t.is(problem.exitCode, 4);
		t.true(problem.message.includes(version));
		t.true(problem.hint.startsWith('sudo sh scripts/provision.sh'));
	});
}

for (const version of ['20.19.0', '20.19.2', '20.20.2', '22.0.0', '24.1.0', '25.0.0-nightly20250101']) {
	test(`Node ${version} is accepted`, t => {
		t.notThrows(() => {
			checkNode(version);
		});
	});
}

for (const platform of ['darwin', 'win32', 'freebsd']) {
	test(`${platform} is sent to the VM`, t => {
		const problem = t.throws<Problem>(() => {
			checkPlatform(platform);
		});
		t.is(problem.exitCode, 4);
		t.true(problem.message.includes(platform));
		t.true(problem.hint.startsWith('vagrant up'));
	});
}

const status = (name: string, uid: number, parent: number) => `Name:\t${name}\nPPid:\t${parent}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`;

const underNpm8: Record<number, string> = {30: status('sh', 1000, 20), 20: status('npm run testbed', 0, 10), 10: status('bash', 0, 1)};
const underNpm10: Record<number, string> = {30: status('sh', 1000, 20), 20: status('npm run testbed', 1000, 10), 10: status('bash', 1000, 1)};

const asUser = {uid: 1000, parentPid: 30, command: 'npm run testbed', direct: 'node scripts/run.cjs testbed'};

test('a user is told to use sudo, with the PATH that sudo would drop', t => {
	const problem = t.throws<Problem>(() => {
		checkRoot({...asUser, readStatus: pid => underNpm10[pid] ?? ''});
	});
	t.is(problem.exitCode, 4);
	t.true(problem.message.includes('UID 1000'));
	t.is(problem.hint, 'sudo env "PATH=$PATH" npm run testbed');
});

test('root under npm 8 is told both UIDs and the command without npm', t => {
	const problem = t.throws<Problem>(() => {
		checkRoot({...asUser, readStatus: pid => underNpm8[pid] ?? ''});
	});
	t.is(problem.exitCode, 4);
	t.true(problem.message.includes('UID 0'));
	t.true(problem.message.includes('UID 1000'));
	t.is(problem.hint, 'node scripts/run.cjs testbed');
});

test('if procfs hides the parent processes, the message is general', t => {
	const problem = t.throws<Problem>(() => {
		checkRoot({...asUser, readStatus: () => ''});
	});
	t.true(problem.hint.startsWith('sudo '));
});

test('what is not only for root passes, but root under npm 8 is told', t => {
	t.notThrows(() => {
		checkRoot({...asUser, isForRoot: false, readStatus: pid => underNpm10[pid] ?? ''});
	});
	t.throws(() => {
		checkRoot({...asUser, isForRoot: false, readStatus: pid => underNpm8[pid] ?? ''});
	}, {message: /You are root/u});
});

test('root passes', t => {
	t.notThrows(() => {
		checkRoot({...asUser, uid: 0});
	});
});
