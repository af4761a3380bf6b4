/**
Kernels among Debian's packages: what apt lists, and which of them is the newest of a series.
*/

import {TestbedError} from '../errors.js';
import {compareVersions} from './debian-version.js';

/** A kernel as a package. `series` is the first two numbers of its version: `6.12`. `release` is what `uname -r` prints. */
export type KernelPackage = {readonly series: string; readonly name: string; readonly version: string; readonly release: string};

/** The flavor: fewer drivers than the generic one and so a third of its size, but the same netfilter. */
export const flavor = 'cloud-amd64';

/** The word for the newest series of all. */
export const newest = 'newest';

/** The names of the packages with a kernel of this flavor: apt lists others beside them, without a kernel, unsigned ones and debug symbols. */
export function kernelNames(names: readonly string[]): readonly string[] {
	return names.filter(name => /^linux-image-\d+\.\d+\.\d[^_]*-cloud-amd64$/u.test(name) && !name.includes('-rt-'));
}

/** The kernels in what `apt-cache madison` prints: a line for each package and source, `name | version | source`. */
export function readMadison(text: string): readonly KernelPackage[] {
	return text.split('\n').flatMap(line => {
		const [name = '', version = ''] = line.split('|').map(part => part.trim());
		const series = /^(?:\d+:)?(?<series>\d+\.\d+)/u.exec(version)?.groups!['series'];
		return series === undefined || !name.startsWith('linux-image-') ? [] : [{series, name, version, release: name.slice('linux-image-'.length)}];
	});
}

/** The newest kernel of each series, oldest series first. */
export function newestOfEach(kernels: readonly KernelPackage[]): readonly KernelPackage[] {
	const found = new Map<string, KernelPackage>();
	for (const kernel of kernels) {
		const before = found.get(kernel.series);
		if (before === undefined || compareVersions(kernel.version, before.version) > 0) {
			found.set(kernel.series, kernel);
		}
	}

	return [...found.values()].toSorted((a, b) => compareVersions(a.series, b.series));
}

/**
The kernel of a series.

@throws {TestbedError} USAGE for a series that Debian does not have, with those that it has.
*/
export function chooseKernel(series: string, kernels: readonly KernelPackage[]): KernelPackage {
	const each = newestOfEach(kernels);
	const chosen = series === newest ? each.at(-1) : each.find(kernel => kernel.series === series);
	if (chosen === undefined) {
		throw new TestbedError('USAGE', {
			message: `Debian has no kernel of series ${series} now.`,
			state: 'Nothing was booted.',
			hint: `It has ${each.map(kernel => kernel.series).join(', ')}; ${newest} is the last of these.`,
		});
	}

	return chosen;
}

/**
A series as a word of the command line: `6.12`, or `newest`.

@throws {TestbedError} USAGE.
*/
export function readSeries(word: string): string {
	if (word !== newest && !/^\d{1,2}\.\d{1,3}$/u.test(word)) {
		const near = /^v?(?<series>\d+\.\d+)/u.exec(word)?.groups!['series'];
		throw new TestbedError('USAGE', {message: `"${word}" is not a kernel series: two numbers, such as 6.12, or ${newest}.`, hint: near === undefined ? 'A command for the guest follows after --.' : `Did you mean ${near}? The newest kernel of a series is taken.`});
	}

	return word;
}

/** The further packages of a kernel, by what `apt-cache depends` prints: since 7.x it is split, and the image only depends on its parts. */
export function partsOf({release}: KernelPackage, depends: string): readonly string[] {
	return [...depends.matchAll(/^\s*Depends: (?<name>linux-(?:binary|base|modules)-\S+)$/gmu)].map(({groups}) => groups!['name']!).filter(name => name.endsWith(`-${release}`));
}
