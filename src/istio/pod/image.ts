/**
The release that an image's tag names.
*/

/** `docker.io/istio/proxyv2:1.24.3-distroless` → `1.24.3`; undefined for a tag that names no release, or no tag. */
export function releaseOfImage(image: string | undefined): string | undefined {
	return /(?:^|\/)[^/:@]+:v?(?<release>\d+\.\d+(?:\.\d+)?)(?:[-@].*)?$/u.exec(image ?? '')?.groups?.['release'];
}

/** The name of an image without registry and tag. */
export function nameOfImage(image: string): string {
	return (image.split('/').at(-1) ?? '').split(/[:@]/u)[0] ?? '';
}
