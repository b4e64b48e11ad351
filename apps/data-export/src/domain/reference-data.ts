/**
 * The reference lists that FOLIO ships with, for tenants without an inventory (`data-export.md`, 12.1): transformation fields
 * are made from them. Names and ids are those of the folder `reference-data` of folio-org/mod-inventory-storage.
 */
export interface ReferenceEntry {
  readonly id: string;
  readonly name: string;
}

export const REFERENCE_LISTS = [
  'electronicAccessRelationships',
  'alternativeTitleTypes',
  'contributorNameTypes',
  'identifierTypes',
  'instanceTypes',
  'modesOfIssuance',
  'holdingsNoteTypes',
  'itemNoteTypes',
] as const;
export type ReferenceList = (typeof REFERENCE_LISTS)[number];
export type ReferenceData = Readonly<Record<ReferenceList, readonly ReferenceEntry[]>>;

const entries = (names: Readonly<Record<string, string>>): readonly ReferenceEntry[] =>
  Object.entries(names).map(([id, name]) => ({ id, name }));

export const SHIPPED_REFERENCE_DATA: ReferenceData = {
  electronicAccessRelationships: entries({
    'ef03d582-219c-4221-8635-bc92f1107021': 'No display constant generated',
    'f50c90c9-bae0-4add-9cd0-db9092dbc9dd': 'No information provided',
    '5bfe1b7b-f151-4501-8cfa-23b321d5cd1e': 'Related resource',
    'f5d0068e-6272-458e-8a81-b85e7b9a14aa': 'Resource',
    '3b430592-2e09-4b48-9a0c-0636d66b9fb3': 'Version of resource',
  }),
  alternativeTitleTypes: entries({
    '2ca8538d-a2fd-4e60-b967-1cb220101e22': 'Added title page title',
    '432ca81a-fe4d-4249-bfd3-53388725647d': 'Caption title',
    '5c364ce4-c8fd-4891-a28d-bb91c9bcdbfb': 'Cover title',
    '781c04a4-f41e-4ab0-9118-6836e93de3c8': 'Distinctive title',
    'ab26d2e4-1a4a-11ed-861d-0242ac120002': 'Former title',
    '0fe58901-183e-4678-a3aa-0b4751174ba8': 'No type specified',
    '2584943f-36ad-4037-a7fa-3bdebb09f452': 'Other title',
    '4bb300a4-04c9-414b-bfbc-9c032f74b7b2': 'Parallel title',
    'a8b45056-2223-43ca-8514-4dd88ece984b': 'Portion of title',
    '09964ad1-7aed-49b8-8223-a4c105e3ef87': 'Running title',
    'dae08d04-8c4e-4ab2-b6bb-99edbf252231': 'Spine title',
    '30512027-cdc9-4c79-af75-1565b3bd888d': 'Uniform title',
    '35bbe7f2-1a49-11ed-861d-0242ac120002': 'Variant title',
  }),
  contributorNameTypes: entries({
    '2e48e713-17f3-4c13-a9f8-23845bb210aa': 'Corporate name',
    'e8b311a6-3b21-43f2-a269-dd9310cb2d0a': 'Meeting name',
    '2b94c631-fca9-4892-a730-03ee529ffe2a': 'Personal name',
  }),
  identifierTypes: entries({
    '7f907515-a1bf-4513-8a38-92e1a07c539d': 'ASIN',
    '3187432f-9434-40a8-8782-35a111a1491e': 'BNB',
    '593b78cb-32f3-44d1-ba8c-63fd5e6989e6': 'CODEN',
    'c858e4f2-2b6b-4385-842b-60732ee34abb': 'Canceled LCCN',
    'd70f3282-489e-40cd-b144-64e68a3b0514': 'Cancelled GPO item number',
    '2c12660a-7393-4876-9a67-62ef5372512f': 'Cancelled system control number',
    '5d164f4b-0b15-4e42-ae75-cfcf85318ad9': 'Control number',
    '39554f54-d0bb-4f0a-89a4-e422f6136316': 'DOI',
    '351ebc1c-3aae-4825-8765-c6d50dbf011f': 'GPO item number',
    '216b156b-215e-4839-a53e-ade35cb5702a': 'Handle',
    '8261054f-be78-422d-bd51-4ed9f33c3422': 'ISBN',
    'ebfd00b6-61d3-4d87-a6d8-810c941176d5': 'ISMN',
    '913300b2-03ed-469a-8179-c1092c991227': 'ISSN',
    '5a8c36c0-7765-4863-87be-7146abe8f5f7': 'Invalid ISBN',
    '4f07ea37-6c7f-4836-add2-14249e628ed1': 'Invalid ISMN',
    '846e7bb9-f06c-4ec9-8523-2527314fec9e': 'Invalid ISSN',
    'b3ea81fb-3324-4c64-9efc-7c0c93d5943c': 'Invalid UPC',
    'c858e4f2-2b6b-4385-842b-60732ee14abb': 'LCCN',
    'c77e947d-ee93-4185-8c3e-06104bdda923': 'Linking ISSN',
    '5130aed5-1095-4fb6-8f6f-caa3d6cc7aae': 'Local identifier',
    '439bfbae-75bc-4f74-9fc7-b2a2d47ce3ef': 'OCLC',
    '2e8b3b6c-0e7d-4e48-bca2-b0b23b376af5': 'Other standard identifier',
    'b5d8cdc4-9441-487c-90cf-0c7ec97728eb': 'Publisher or distributor number',
    '37b65e79-0392-450d-adc6-e2a1f47de452': 'Report number',
    '3fbacad6-0240-4823-bce8-bb122cfdf229': 'StEdNL',
    '8e3dd25e-db82-4b06-8311-90d41998c109': 'Standard technical report number',
    '7e591197-f335-4afb-bc6d-a6d76ca3bace': 'System control number',
    '1795ea23-6856-48a5-a772-f356e16a8a6c': 'UPC',
    'eb7b2717-f149-4fec-81a3-deefb8f5ee6b': 'URN',
    '650ef996-35e3-48ec-bf3a-a0d078a0ca37': 'UkMac',
  }),
  instanceTypes: entries({
    '3363cdb1-e644-446c-82a4-dc3a1d4395b9': 'cartographic dataset',
    '526aa04d-9289-4511-8866-349299592c18': 'cartographic image',
    '80c0c134-0240-4b63-99d0-6ca755d5f433': 'cartographic moving image',
    '408f82f0-e612-4977-96a1-02076229e312': 'cartographic tactile image',
    'e5136fa2-1f19-4581-b005-6e007a940ca8': 'cartographic tactile three-dimensional form',
    '2022aa2e-bdde-4dc4-90bc-115e8894b8b3': 'cartographic three-dimensional form',
    'df5dddff-9c30-4507-8b82-119ff972d4d7': 'computer dataset',
    'c208544b-9e28-44fa-a13c-f4093d72f798': 'computer program',
    'fbe264b5-69aa-4b7c-a230-3b53337f6440': 'notated movement',
    '497b5090-3da2-486c-b57f-de5bb3c2e26d': 'notated music',
    'a2c91e87-6bab-44d6-8adb-1fd02481fc4f': 'other',
    '3be24c14-3551-4180-9292-26a786649c8b': 'performed music',
    '9bce18bd-45bf-4949-8fa8-63163e4b7d7f': 'sounds',
    'c7f7446f-4642-4d97-88c9-55bae2ad6c7f': 'spoken word',
    '535e3160-763a-42f9-b0c0-d8ed7df6e2a2': 'still image',
    'efe2e89b-0525-4535-aa9b-3ff1a131189e': 'tactile image',
    'e6a278fb-565a-4296-a7c5-8eb63d259522': 'tactile notated movement',
    'a67e00fd-dcce-42a9-9e75-fd654ec31e89': 'tactile notated music',
    '8105bd44-e7bd-487e-a8f2-b804a361d92f': 'tactile text',
    '82689e16-629d-47f7-94b5-d89736cf11f2': 'tactile three-dimensional form',
    '6312d172-f0cf-40f6-b27d-9fa8feaf332f': 'text',
    'c1e95c2b-4efc-48cf-9e71-edb622cf0c22': 'three-dimensional form',
    '3e3039b7-fda0-4ac4-885a-022d457cb99c': 'three-dimensional moving image',
    '225faa14-f9bf-4ecd-990d-69433c912434': 'two-dimensional moving image',
    '30fffe0e-e985-4144-b2e2-1e8179bdb41f': 'unspecified',
  }),
  modesOfIssuance: entries({
    '4fc0f4fe-06fd-490a-a078-c4da1754e03a': 'integrating resource',
    'f5cc2ab6-bb92-4cab-b83f-5a3d09261a41': 'multipart monograph',
    '068b5344-e2a6-40df-9186-1829e13cd344': 'serial',
    '9d18a02f-5897-4c31-9106-c9abb5c7ae8b': 'single unit',
    '612bbd3d-c16b-4bfb-8517-2afafc60204a': 'unspecified',
  }),
  holdingsNoteTypes: entries({
    'd6510242-5ec3-42ed-b593-3585d2e48fd6': 'Action note',
    'e19eabab-a85c-4aef-a7b2-33bd9acef24e': 'Binding',
    'c4407cc7-d79f-4609-95bd-1cefb2e2b5c5': 'Copy note',
    '88914775-f677-4759-b57b-1a33b90b24e0': 'Electronic bookplate',
    'b160f13a-ddba-4053-b9c4-60ec5ea45d56': 'Note',
    'db9b4787-95f0-4e78-becf-26748ce6bdeb': 'Provenance',
    '6a41b714-8574-4084-8d64-a9373c3fbb59': 'Reproduction',
  }),
  itemNoteTypes: entries({
    '0e40884c-3523-4c6d-8187-d578e3d2794e': 'Action note',
    '87c450be-2033-41fb-80ba-dd2409883681': 'Binding',
    '1dde7141-ec8a-4dae-9825-49ce14c728e7': 'Copy note',
    'f3ae3823-d096-4c65-8734-0c1efd2ffea8': 'Electronic bookplate',
    '8d0a5eca-25de-4391-81a9-236eeefdd20b': 'Note',
    'c3a539b9-9576-4e3a-b6de-d910200b2919': 'Provenance',
    'acb3a58f-1d72-461d-97c3-0e7119e8d544': 'Reproduction',
  }),
};
