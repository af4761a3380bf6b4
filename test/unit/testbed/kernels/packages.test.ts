/** Which kernels Debian has, as apt tells, and which of them a series means. The texts are apt's (Debian 12, November 2026), shortened. */

import test from 'ava';
import {compareVersions} from '../../../../testbed/kernels/debian-version.js';
import {
	chooseKernel, kernelNames, newestOfEach, partsOf, readMadison, readSeries,
} from '../../../../testbed/kernels/packages.js';
import {TestbedError} from '../../../../testbed/errors.js';

const madison = `linux-image-5.10.0-30-cloud-amd64 | 5.10.218-1 | http://deb.debian.org/debian bullseye/main amd64 Packages
linux-image-5.10.0-46-cloud-amd64 | 5.10.262-1 | http://deb.debian.org/debian-security bullseye-security/main amd64 Packages
linux-image-5.10.0-9-cloud-amd64 | 5.10.70-1 | http://deb.debian.org/debian bullseye/main amd64 Packages
linux-image-6.12.90+deb13.1-cloud-amd64 |  6.12.90-2 | http://deb.debian.org/debian-security trixie-security/main amd64 Packages
linux-image-6.12.90+deb13-cloud-amd64 |  6.12.90-1 | http://deb.debian.org/debian-security trixie-security/main amd64 Packages
linux-image-6.12.90+deb12-cloud-amd64 |  6.12.90-2~bpo12+1 | http://deb.debian.org/debian bookworm-backports/main amd64 Packages
linux-image-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | http://deb.debian.org/debian trixie-backports/main amd64 Packages
`;

test('only images of the flavor are kernels', t => {
	t.deepEqual(kernelNames([
		'linux-image-6.1-cloud-amd64', 'linux-image-6.1.0-57-cloud-amd64', 'linux-image-6.1.0-57-cloud-amd64-unsigned', 'linux-image-6.1.0-57-cloud-amd64-dbg', 'linux-image-6.1.0-57-amd64', 'linux-image-6.1.0-57-rt-amd64',
		'linux-image-cloud-amd64', 'linux-image-6.12.90+deb13.1-cloud-amd64', '',
	]), ['linux-image-6.1.0-57-cloud-amd64', 'linux-image-6.12.90+deb13.1-cloud-amd64']);
});

test('the newest of each series is by the version of the package, not by its name', t => {
	t.deepEqual(newestOfEach(readMadison(madison)).map(({series, release, version}) => [series, release, version]), [
		['5.10', '5.10.0-46-cloud-amd64', '5.10.262-1'],
		['6.12', '6.12.90+deb13.1-cloud-amd64', '6.12.90-2'],
		['7.3', '7.3.4+deb13-cloud-amd64', '7.3.4-1~bpo13+1'],
	]);
});

test('a series, and the newest of all', t => {
	const kernels = readMadison(madison);
	t.is(chooseKernel('5.10', kernels).name, 'linux-image-5.10.0-46-cloud-amd64');
	t.is(chooseKernel('newest', kernels).series, '7.3');
});

test('a series that Debian does not have: those that it has', t => {
	const error = t.throws(() => chooseKernel('5.15', readMadison(madison)), {instanceOf: TestbedError});
	t.is(error.code, 'USAGE');
	t.is(error.message, 'Debian has no kernel of series 5.15 now.');
	t.is(error.hint, 'It has 5.10, 6.12, 7.3; newest is the last of these.');
});

test('what is no line of a kernel is none', t => {
	t.deepEqual(readMadison('N: Unable to locate package x\n\nbash | 5.2-1 | somewhere\n'), []);
});

for (const [word, hint] of [
	['6.1.192', 'Did you mean 6.1? The newest kernel of a series is taken.'],
	['v6.12', 'Did you mean 6.12? The newest kernel of a series is taken.'],
	['6', 'A command for the guest follows after --.'],
	['run', 'A command for the guest follows after --.'],
	['', 'A command for the guest follows after --.'],
] as const) {
	test(`"${word}" is no series`, t => {
		const error = t.throws(() => readSeries(word), {instanceOf: TestbedError});
		t.is(error.code, 'USAGE');
		t.is(error.hint, hint);
	});
}

test('series', t => {
	t.deepEqual(['5.10', '6.1', '7.3', 'newest'].map(word => readSeries(word)), ['5.10', '6.1', '7.3', 'newest']);
});

test('a kernel in parts: only those of its own release', t => {
	const [kernel] = readMadison('linux-image-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | x\n');
	t.deepEqual(partsOf(kernel!, `linux-image-7.3.4+deb13-cloud-amd64
  PreDepends: linux-base
 |Depends: dracut
  Depends: <linux-initramfs-tool>
  Depends: linux-base-7.3.4+deb13-cloud-amd64
  Depends: linux-binary-7.3.4+deb13-cloud-amd64
  Depends: linux-modules-7.3.4+deb13-cloud-amd64
  Suggests: linux-doc-7.3
  Depends: linux-base
`), ['linux-base-7.3.4+deb13-cloud-amd64', 'linux-binary-7.3.4+deb13-cloud-amd64', 'linux-modules-7.3.4+deb13-cloud-amd64']);
	t.deepEqual(partsOf(kernel!, 'linux-image-6.1.0-57-cloud-amd64\n  Depends: kmod\n  Depends: linux-base\n'), []);
});

// The order of dpkg (deb-version(7)); each was compared with dpkg --compare-versions.
for (const [older, newer] of [
	['6.12.95-1~bpo12+1', '6.12.95-1'],
	['6.12.9-1', '6.12.10-1'],
	['5.10.218-1', '5.10.262-1'],
	['6.12.90-1', '6.12.90-2'],
	['6.1', '6.12'],
	['6.19', '7.0'],
	['1.0~rc1', '1.0'],
	['1.0', '1.0a'],
	['1.0a', '1.0+b'],
	['9.9', '1:0.1'],
	['1.0-1', '1.0-1.1'],
] as const) {
	test(`${older} is older than ${newer}`, t => {
		t.true(compareVersions(older, newer) < 0);
		t.true(compareVersions(newer, older) > 0);
		t.is(compareVersions(older, older), 0);
	});
}
