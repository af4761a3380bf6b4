/**
Releases in their order, for those who compare many.
*/

import {
	compareVersions, findRelease, newestRelease, type Release,
} from '../../src/istio/releases.js';
import {InputError} from '../../src/parsing/input-error.js';
import {TestbedError} from '../errors.js';

/** The newest release line that is known: `1.31`. */
export const newestReleaseName = newestRelease.name;

/**
Which releases are not before a first one: all without it.

@throws {TestbedError} USAGE for a version that is not known.
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
