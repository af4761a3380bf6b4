/**
A probe as JSON, according to the table of its fields: one line of a batch.
*/

import * as z from 'zod/mini';
import {
	about, anything, exactly, maybe, textOf, whole,
} from '../parsing/schema.js';
import {fieldList, type FieldValues} from './probe-spec.js';

/** The schema. Checks that only code can do (a valid address, a matching family) are not in it. */
export function probeInputSchema() {
	return exactly(Object.fromEntries(fieldList.map(({key, values, option}) => {
		const schema = schemaOf(values);
		const described = option === undefined ? schema : about(option.help, schema);
		return [key, key === 'to' ? described : maybe(described)];
	})));
}

function schemaOf(values: FieldValues): z.ZodMiniType {
	switch (values.kind) {
		case 'anything': {
			return anything;
		}

		case 'choice': {
			return z.enum(Object.fromEntries(values.choices.map(choice => [choice, choice])));
		}

		case 'number': {
			return whole(0, values.max);
		}

		case 'text': {
			return textOf(values.pattern, values.mustBe);
		}
	}
}
