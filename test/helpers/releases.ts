/**
The newest known release of Istio and one that nobody knows yet, for tests that mean these: a new row in `src/istio/releases.ts` changes no test.
*/

import {newestRelease} from '../../src/istio/releases.js';

/** The newest known line, `1.31`. */
export const newest = newestRelease.name;

/** The newest known patch release, `1.31.0`. */
export const {newestPatch} = newestRelease;

const [major = 0, minor = 0] = newest.split('.').map(Number);

/** A line that is not known yet, two after the newest. */
export const unknown = `${major}.${minor + 2}`;
