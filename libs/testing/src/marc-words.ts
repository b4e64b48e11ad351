/**
 * Words from which `marc.ts` makes up records: titles, names and places in several scripts, and English for the notes
 * of the cataloguer. None of the books exists.
 */

/** What a language gives to a record. Words of other scripts are written `vernacular=romanised`. */
export interface Tongue {
  /** Code in 008 and 041. */
  readonly code: string;
  /** Code of the country in 008. */
  readonly country: string;
  /** Script of the linked field 880; absent for Latin. */
  readonly script?: string;
  /** How often among a hundred records. */
  readonly share: number;
  readonly nouns: readonly string[];
  /** Joins two nouns in a title. */
  readonly and: string;
  /** What stands behind the title: "a novel", "poems", "selected letters". */
  readonly kinds: readonly string[];
  readonly surnames: readonly string[];
  readonly forenames: readonly string[];
  readonly cities: readonly string[];
  readonly publishers: readonly string[];
}

const list = (words: string) => words.split('|');

export const TONGUES: readonly Tongue[] = [
  {
    code: 'eng',
    country: 'enk',
    share: 58,
    nouns: list(
      'The river|A garden|The glass house|Night|The grey sea|The long road|A city|Songs|The forest|Winter|The moon|Letters|The orchard|Salt|The clockmaker|Maps',
    ),
    and: ' and ',
    kinds: list('a novel|poems|selected letters|an introduction|a history|essays and lectures'),
    surnames: list(
      'Ashdown|Barlow|Carrick|Dunmore|Ellery|Farrow|Garside|Hollis|Inskip|Kestrel|Lomax|Merrow|Norcott|Penhale|Quill|Rudd|Selwyn|Thorne',
    ),
    forenames: list(
      'Ada|Bernard|Clara|Dorian|Edith|Francis|Greta|Hugh|Iris|Jonas|Lydia|Martin|Nora|Oscar',
    ),
    cities: list('London|Leeds|Bristol|Norwich|York|Exeter'),
    publishers: list(
      'Quire House|Harbour & Sons|The Marsh Press|Northfield University Press|Lantern Books',
    ),
  },
  {
    code: 'fre',
    country: 'fr ',
    share: 6,
    nouns: list(
      'La rivière|Le jardin|La maison d’été|La nuit|La mer|Le chemin|La cité engloutie|Les chansons|La forêt|L’hiver|La lune|Les lettres',
    ),
    and: ' et ',
    kinds: list('roman|poèmes|correspondance choisie|récit'),
    surnames: list('Bérard|Châtelain|Delorme|Éluère|Fèvre|Gâtineau|Lefebvre|Noël'),
    forenames: list('Anaïs|Benoît|Céline|Désiré|Geneviève|Jérôme|Zoé'),
    cities: list('Paris|Orléans|Besançon|Nîmes'),
    publishers: list('Éditions du Pré|Presses de l’Écluse|Librairie Sézanne'),
  },
  {
    code: 'ger',
    country: 'gw ',
    share: 6,
    nouns: list(
      'Der Fluß|Der Garten|Das Haus am Hügel|Die Nacht|Das Meer|Der Weg|Die Städte|Lieder|Der Wald|Der Winter|Der Mond|Briefe|Die Brücke',
    ),
    and: ' und ',
    kinds: list('Roman|Gedichte|Ausgewählte Briefe|Einführung für Anfänger'),
    surnames: list('Bäumler|Döring|Förster|Größl|Jäger|Köhler|Müntz|Weiß'),
    forenames: list('Jürgen|Käthe|Lothar|Änne|Günther|Sören'),
    cities: list('Göttingen|Köln|München|Tübingen'),
    publishers: list('Verlag am Brühl|Löwen & Söhne|Mühlenpresse'),
  },
  {
    code: 'cze',
    country: 'xr ',
    share: 4,
    nouns: list('Řeka|Zahrada|Dům|Noc|Moře|Cesta|Město|Písně|Les|Zima|Měsíc|Dopisy|Žebřík'),
    and: ' a ',
    kinds: list('román|básně|vybrané dopisy'),
    surnames: list('Dvořáček|Hřebíková|Křížek|Němcová|Procházka|Růžička|Šťastný'),
    forenames: list('Božena|Jiří|Kateřina|Ondřej|Světlana|Vojtěch'),
    cities: list('Praha|Brno|Plzeň|Olomouc'),
    publishers: list('Nakladatelství Bříza|Květ'),
  },
  {
    code: 'vie',
    country: 'vm ',
    share: 2,
    nouns: list(
      'Dòng sông|Khu vườn|Ngôi nhà|Đêm|Biển cả|Con đường|Thành phố|Những bài hát|Rừng|Mùa đông|Mặt trăng|Những lá thư',
    ),
    and: ' và ',
    kinds: list('tiểu thuyết|thơ'),
    surnames: list('Nguyễn|Trần|Phạm|Đặng|Vũ'),
    forenames: list('Thị Hồng|Văn Đức|Ngọc Ánh|Quốc Việt'),
    cities: list('Hà Nội|Huế|Đà Nẵng'),
    publishers: list('Nhà xuất bản Sao Mai'),
  },
  {
    code: 'rus',
    country: 'ru ',
    script: '(N',
    share: 7,
    nouns: list(
      'Река=Reka|Сад=Sad|Дом=Dom|Ночь=Nochʹ|Море=More|Дорога=Doroga|Город=Gorod|Песни=Pesni|Лес=Les|Зима=Zima|Луна=Luna|Письма=Pisʹma',
    ),
    and: ' и = i ',
    kinds: list('роман=roman|стихи=stikhi|избранные письма=izbrannye pisʹma'),
    surnames: list(
      'Березин=Berezin|Ключникова=Kli︠u︡chnikova|Лужин=Luzhin|Щеглов=Shcheglov|Яковлева=I︠A︡kovleva',
    ),
    forenames: list('Анна=Anna|Борис=Boris|Фёдор=Fëdor|Юлия=I︠U︡lii︠a︡'),
    cities: list('Москва=Moskva|Тверь=Tverʹ|Казань=Kazanʹ'),
    publishers: list('Издательство «Маяк»=Izdatelʹstvo "Mai︠a︡k"|Белый лист=Belyĭ list'),
  },
  {
    code: 'gre',
    country: 'gr ',
    script: '(S',
    share: 3,
    nouns: list(
      'Ο ποταμός=Ho potamos|Ο κήπος=Ho kēpos|Το σπίτι=To spiti|Η νύχτα=Hē nychta|Η θάλασσα=Hē thalassa|Ο δρόμος=Ho dromos|Η πόλη=Hē polē|Το φεγγάρι=To phengari',
    ),
    and: ' και = kai ',
    kinds: list('μυθιστόρημα=mythistorēma|ποιήματα=poiēmata'),
    surnames: list('Αλεξίου=Alexiou|Παπαδάκης=Papadakēs|Σταυρίδης=Stauridēs'),
    forenames: list('Ελένη=Helenē|Γιώργος=Giōrgos|Μαρία=Maria'),
    cities: list('Αθήνα=Athēna|Θεσσαλονίκη=Thessalonikē'),
    publishers: list('Εκδόσεις Φάρος=Ekdoseis Pharos'),
  },
  {
    code: 'ara',
    country: 'ua ',
    script: '(3/r',
    share: 4,
    nouns: list(
      'النهر=al-Nahr|الحديقة=al-Ḥadīqah|البيت=al-Bayt|الليل=al-Layl|البحر=al-Baḥr|الطريق=al-Ṭarīq|المدينة=al-Madīnah|القمر=al-Qamar',
    ),
    and: ' و= wa-',
    kinds: list('رواية=riwāyah|شعر=shiʻr'),
    surnames: list('الحكيم=al-Ḥakīm|منصور=Manṣūr|الزهراني=al-Zahrānī'),
    forenames: list('أحمد=Aḥmad|ليلى=Laylá|نجيب=Najīb'),
    cities: list('القاهرة=al-Qāhirah|بيروت=Bayrūt'),
    publishers: list('دار المنارة=Dār al-Manārah'),
  },
  {
    code: 'heb',
    country: 'is ',
    script: '(2/r',
    share: 3,
    nouns: list(
      'הנהר=ha-Nahar|הגן=ha-Gan|הבית=ha-Bayit|הלילה=ha-Lailah|הים=ha-Yam|הדרך=ha-Derekh|העיר=ha-ʻIr|הירח=ha-Yareaḥ',
    ),
    and: ' ו= ṿe-',
    kinds: list('רומן=roman|שירים=shirim'),
    surnames: list('אלון=Alon|ברק=Baraḳ|שחר=Shaḥar'),
    forenames: list('דוד=Daṿid|רחל=Raḥel|יעל=Yaʻel'),
    cities: list('ירושלים=Yerushalayim|תל־אביב=Tel Aviv'),
    publishers: list('הוצאת המגדלור=Hotsaʼat ha-Migdalor'),
  },
  {
    code: 'chi',
    country: 'cc ',
    script: '$1',
    share: 4,
    nouns: list(
      '河流=He liu|花园=Hua yuan|房子=Fang zi|夜晚=Ye wan|大海=Da hai|道路=Dao lu|城市=Cheng shi|月亮=Yue liang|森林=Sen lin',
    ),
    and: '与= yu ',
    kinds: list('长篇小说=chang pian xiao shuo|诗集=shi ji'),
    surnames: list('王=Wang|李=Li|陈=Chen|欧阳=Ouyang'),
    forenames: list('小明=Xiaoming|丽华=Lihua|伟=Wei'),
    cities: list('北京=Beijing|上海=Shanghai'),
    publishers: list('灯塔出版社=Deng ta chu ban she'),
  },
  {
    code: 'jpn',
    country: 'ja ',
    script: '$1',
    share: 3,
    nouns: list(
      '川=Kawa|庭=Niwa|家=Ie|夜=Yoru|海=Umi|道=Michi|街=Machi|月=Tsuki|森=Mori|手紙=Tegami',
    ),
    and: 'と= to ',
    kinds: list('長編小説=chōhen shōsetsu|詩集=shishū'),
    surnames: list('山田=Yamada|佐藤=Satō|大野=Ōno'),
    forenames: list('花子=Hanako|太郎=Tarō|陽一=Yōichi'),
    cities: list('東京=Tōkyō|京都=Kyōto'),
    publishers: list('灯台社=Tōdaisha|あおぞら書房=Aozora Shobō'),
  },
];

/** Subject heading, class number of the Library of Congress, and of Dewey. */
export const SUBJECTS: readonly (readonly string[])[] = list(
  'Rivers=GB1203=551.483|Gardens=SB455=635.9|Railroads=HE1021=385|Bees=QL568=595.799|Folk music=ML3545=781.62|Bookbinding=Z266=686.3|Glass manufacture=TP857=666.1|Lighthouses=VK1010=387.155|Winter=QB637=508.2|City planning=HT166=711.4|Salt mines and mining=TN900=622.3632|Clock and watch making=TS542=681.11|Cartography=GA105=526|Women authors=PN471=809.89287|Printing presses=Z249=681.62|Tides=GC301=551.464|Weaving=TS1490=677.0282|Apples=SB363=634.11|Libraries=Z665=027|Astronomy=QB43=520|Bridges=TG145=624.2|Epidemics=RA649=614.4|Tea=SB271=633.72|Fishing villages=HT431=307.762|Shipbuilding=VM145=623.82|Birds=QL673=598|Paper industry=HD9820=338.47676|Translating and interpreting=P306=418.02|Chess=GV1445=794.1|Theater=PN2037=792',
).map((subject) => subject.split('='));

export const SUBDIVISIONS = list(
  'History|Social aspects|Fiction|Study and teaching|History and criticism|Law and legislation|Periodicals|Bibliography|Economic aspects|Juvenile literature|Pictorial works|Conservation and restoration',
);

export const PLACES = list(
  'Bohemia (Czech Republic)|England, Northern|Crete (Greece)|Cairo (Egypt)|Malmö (Sweden)|Łódź (Poland)|São Luís (Brazil)|Kyoto (Japan)|Québec (Province)|Iceland|Ireland|Anatolia (Turkey)|Galicia (Spain : Region)|Volga River (Russia)|Haifa (Israel)|Guangdong Sheng (China)',
);

export const PERIODS = list(
  '16th century|17th century|18th century|19th century|20th century|21st century',
);

export const GENRES = list(
  'Novels|Poetry|Biographies|Personal correspondence|Essays|Illustrated works|Conference papers and proceedings|Field guides|Electronic books|Exhibition catalogs',
);

/** Sentences of summaries; {s} a subject, {t} another, {p} a place, {y} a year. */
export const SENTENCES = list(
  'Traces the history of {s} in {p} from {y} to the present day.|Brings together letters, ledgers and drawings that show how {s} changed the life of a small town.|The author asks why {s} and {t} have so often been studied apart, and what is lost by it.|A young surveyor arrives in {p} in {y} to measure the coast, and finds that nobody agrees on where it is.|With a foreword, notes on sources, and a glossary of terms used in the study of {s}.|Three generations of one family tell of {s}, of war, and of the house they could not sell.|Drawing on archives opened after {y}, this study revises what was thought to be known about {s} in {p}.|Includes a survey of {t}, with tables for the years before and after {y}.|Written for readers without previous knowledge, it explains the methods by which {s} may be observed.|The second part compares the findings with those from {p} and from neighbouring regions.|On a winter night in {y} a letter is delivered to the wrong door, and two strangers begin to write to each other.|The chapters were first given as lectures and have been revised throughout.',
);

export const NOTES = list(
  'Includes index.|Title from cover.|First published in {y}.|Maps on lining papers.|Originally presented as the author’s thesis (doctoral).|"Published in association with the Society for the Study of {s}."|Text in two columns.|Limited edition of {n} copies.|Errata slip inserted.|Translated from the manuscript.',
);

export const CHAPTERS = list(
  'The beginnings of {s}|{s} and {t}|A year in {p}|Letters from {p}|The question of {t}|Tools and methods|After {y}|What the ledgers say|The flood of {y}|Conclusion: {s} today|Maps and distances|Voices from {p}|On the margins of {t}|A note on sources',
);
