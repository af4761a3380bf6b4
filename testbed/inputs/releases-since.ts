/**
The order of releases, for commands that compare several.
*/

import {
	compareVersions, findRelease, newestRelease, releaseLines, type Release,
} from '../../src/istio/releases.js';
import {InputError} from '../../src/parsing/input-error.js';
import {TestbedError} from '../errors.js';

/** The newest known release line: `1.31`. */
export const newestReleaseName = newestRelease.name;

/** All release lines that are known, the oldest first. */
export const releaseNames: readonly string[] = releaseLines.map(({name}) => name);

/**
Makes a filter for releases from `first` on; without `first`, it accepts all.

@throws {TestbedError} USAGE for an unknown version.
*/
export function releasesSince(first: string | undefined): (release: string | null) => boolean {
	if (first === undefined) {
		return () => true;
	}

	const {name} = lineOf(first);
	return release => release === null || compareVersions(release, name) >= 0;
}

function lineOf(version: string): Release {
	try {
		return findRelease(version);
	} catch (error) {
		throw error instanceof InputError ? new TestbedError('USAGE', {message: `--since ${version}: ${error.message}.`, cause: error}) : error;
	}
}
