import { createBrands } from '../auth/smart/brands.ts'
import type { Style } from '../auth/smart/styles.ts'
import type { PublicAddress, WebHandler } from '../auth/web.ts'
import type { Config } from '../config/config.ts'

/** What applications are told of the house that this server belongs to. @see auth.md 7.7 */

type Identifier = { readonly system: string; readonly value: string }

/** As the operator named it, else the public address, which nobody else has. */
export const facilityIdentifier = ({ facilityIdentifier: named }: Config, { base }: PublicAddress): Identifier =>
  named ?? { system: 'urn:ietf:rfc:3986', value: base }

/** `since`: ms; the first start under this address. */
export const facilityBrands = (config: Config, address: PublicAddress, since: number): WebHandler =>
  createBrands({
    address,
    brands: [{ id: 'facility', name: config.facility, identifier: facilityIdentifier(config, address), website: address.base }],
    contact: `${address.base}/`,
    changedAt: new Date(since).toISOString(),
  })

/** The colours of our own pages. @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#styling */
export const style: Style = {
  color_background: '#ffffff',
  color_error: '#b3261e',
  color_highlight: '#0b6b5d',
  color_modal_backdrop: '',
  color_success: '#1e7b34',
  color_text: '#1b1f1e',
  dim_border_radius: '6px',
  dim_font_size: '16px',
  dim_spacing_size: '16px',
  font_family_body: 'system-ui, sans-serif',
  font_family_heading: 'system-ui, sans-serif',
}
