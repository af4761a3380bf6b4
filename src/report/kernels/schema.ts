/**
The JSON document of `testbed kernels`.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, listOf, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {durationSchema} from '../shared-schema.js';

const tally = {passed: count, failed: count, inconclusive: count};

/** What a command said on several kernels. */
export const kernelsSchema = fields({
	version: z.literal(1),
	command: about('What was run in each guest, after the name of the testbed.', listOf(text)),
	accelerator: about('Null if nothing was booted.', orNull(fields({
		name: oneOf(['kvm', 'tcg']),
		because: about('Why it was not KVM; null if it was, or if one was asked for.', orNull(text)),
	}))),
	kernels: listOf(named('kernel', fields({
		series: about('As asked for.', text),
		package: about('The Debian package; null if it was not fetched.', orNull(text)),
		packageVersion: orNull(text),
		release: about('What uname -r printed in the guest; null if it did not boot.', orNull(text)),
		bootMs: about('Milliseconds from power-on to the first process on the root disk; null if it did not boot.', orNull(durationSchema)),
		durationMs: about('From power-on until QEMU had ended.', durationSchema),
		exitStatus: about('That of the command; null if it did not end.', orNull(count)),
		outcome: oneOf(['passed', 'failed', 'inconclusive']),
		summary: about('The results of run; for any other command, one result by its exit status.', fields(tally)),
		reasons: about('Why it did not pass.', listOf(text)),
		lacks: about('What the doctor misses in the guest. It is asked only if the command did not pass.', listOf(named('lack', fields({
			what: text, needs: about('The kernel option, module or package.', text), fix: text,
		})))),
		output: about('What the command printed.', text),
		errors: about('What it printed on standard error.', text),
	}))),
	summary: fields(tally),
	durationMs: durationSchema,
});

/** The document. */
export type KernelsDocument = DocumentOf<typeof kernelsSchema>;
