// What the page's content security policy asks of its scripts: style elements carry the answer's nonce, and nothing becomes markup.
// Invariant: a string that could open an element is refused, wherever a component would hand one to the browser.

declare global {
  // How packages that add style elements of their own are told the nonce.
  var __webpack_nonce__: string | undefined;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { readonly createHTML: (text: string) => string }): unknown;
}

export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";

globalThis.__webpack_nonce__ = nonce;

const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };

/** Components write rules of style, and empty a canvas' place, as text: neither has a "<". */
trustedTypes?.createPolicy("default", {
  createHTML: (text) => {
    if (text.includes("<")) throw new TypeError("markup from text is not allowed here");
    return text;
  },
});
