/**
Prints schemas as JSON Schema, draft 7, which editors support best.
*/

import * as z from 'zod/mini';
import {documentation} from './schema.js';

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of a schema. Checks that only code can do (a valid address, a unique name) are not in it. */
export function jsonSchemaOf(schema: z.ZodMiniType, {title, about}: {readonly title: string; readonly about?: string}): JsonSchema {
	const {$schema, ...body} = z.toJSONSchema(schema, {
		target: 'draft-7', io: 'input', metadata: documentation, unrepresentable: 'any',
	}) as JsonSchema;
	return {
		$schema, title, ...(about === undefined ? {} : {description: about}), ...body,
	};
}
