/**
The annotation `proxy.istio.io/config`: a ProxyConfig written as YAML (istio.io/api, mesh/v1alpha1), of which two fields affect the rules.
*/

import {InputError} from '../../parsing/input-error.js';
import {
	child, fieldsOf, isMapping, readDocuments, textOf, type Text,
} from '../../parsing/document.js';
import {checkMode} from './annotations.js';

/** The parts of a ProxyConfig that determine the rules. */
export type ProxyConfig = {
	/** `proxyMetadata`: becomes the environment of the init container and of the proxy. */
	readonly metadata: Readonly<Record<string, string>>;
	readonly mode: 'REDIRECT' | 'TPROXY' | 'NONE' | undefined;
};

/**
Parses the annotation.

@throws {InputError} naming line and annotation, and the line within its text.
*/
export function parseProxyConfig({value, at}: Text): ProxyConfig {
	try {
		const [config] = readDocuments(value);
		if (config === undefined) {
			return {metadata: {}, mode: undefined};
		}

		if (!isMapping(config)) {
			throw new InputError('expected a mapping', config.at);
		}

		const metadata = child(config, 'proxyMetadata');
		const mode = child(config, 'interceptionMode');
		return {
			metadata: Object.fromEntries(metadata === undefined ? [] : fieldsOf(metadata).map(([name, field]) => [name, textOf(field).value])),
			mode: mode && checkMode(textOf(mode)),
		};
	} catch (error) {
		throw error instanceof InputError ? new InputError(`in its text, ${error.message}`, at) : error;
	}
}
