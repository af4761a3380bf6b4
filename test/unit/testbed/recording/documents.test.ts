/** What the recordings of real kernels come to, as JSON: valid by the published schema, with no key that it does not tell. */

import test from 'ava';
import {reportToJson} from '../../../../src/report/run/json.js';
import {runsToJson} from '../../../../src/report/run/many.js';
import {replay} from '../../../../testbed/recording/replay.js';
import {complaintOf, schemaFor} from '../../../helpers/json-schemas.js';
import {bytesOf, runRecordingNames} from '../../../helpers/run-recordings.js';

for (const name of runRecordingNames) {
	test(`the report of ${name} is valid`, t => {
		const replayed = replay(bytesOf(name), name);
		const text = JSON.stringify(replayed.what === 'run' ? reportToJson(replayed.report) : runsToJson(replayed.runs));
		const document = JSON.parse(text) as object;
		t.is(complaintOf(schemaFor('run', {isClosed: true}), document), null);
		t.not(complaintOf(schemaFor('run'), {...document, summary: null}), null);
	});
}
