/**
Schemas as JSON Schema, draft 7: the draft that editors know best.
*/

import * as z from 'zod/mini';
import {documentation} from './schema.js';

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a schema takes, as JSON Schema. What only code can check (that an address is one, that no name is there twice) is not in it. */
export function jsonSchemaOf(schema: z.ZodMiniType, {title, about}: {readonly title: string; readonly about?: string}): JsonSchema {
	const {$schema, ...body} = z.toJSONSchema(schema, {
		target: 'draft-7', io: 'input', metadata: documentation, unrepresentable: 'any',
	}) as JsonSchema;
	return {
		$schema, title, ...(about === undefined ? {} : {description: about}), ...body,
	};
}
