"""Words that mean the same: everyday English, Spanish, German and French, as they are said on the telephone.

A question's word is also looked for as its kin, for less. The vectors know far more words; this
is for the common ones, where a plain match is surer than a likeness.
"""

from functools import lru_cache

from agentic_memory.engine.recall.words import stem

_GROUPS = """
monday lunes montag lundi
tuesday martes dienstag mardi
wednesday miercoles mittwoch mercredi
thursday jueves donnerstag jeudi
friday viernes freitag vendredi
saturday sabado samstag sonnabend samedi
sunday domingo sonntag dimanche
january enero januar janner janvier
february febrero februar fevrier
april abril avril
june junio juni juin
july julio juli juillet
august agosto aout
september septiembre septembre
october octubre oktober octobre
november noviembre novembre
december diciembre dezember decembre
morning manana vormittag matin
afternoon tarde nachmittag apres-midi
night noche nacht abend nuit
week semana woche semaine
month mes meses monat mois
year ano jahr annee
birthday cumpleanos geburtstag anniversaire
mother madre mutter mama mere maman
father padre vater papa pere
parents padres eltern
daughter hija tochter fille
son hijo sohn fils
children hijos ninos kind kinder enfant enfants
sister hermana schwester soeur
brother hermano bruder frere
husband esposo marido mann ehemann mari
wife esposa mujer frau ehefrau femme epouse
grandmother grandma abuela oma grossmutter mamie
grandfather grandpa abuelo opa grossvater papi
grandson nieto enkel
granddaughter nieta enkelin
uncle tio onkel oncle
aunt tia tante
cousin primo prima cousine
nephew sobrino neffe neveu
niece sobrina nichte
friend amigo amiga freund freundin ami amie
neighbour neighbor vecino vecina nachbar nachbarin voisin voisine
boss manager jefe jefa chef chefin patron
colleague coworker companero companera kollege kollegin collegue
boyfriend novio
girlfriend novia
twins gemelos mellizos zwillinge jumeaux
baby bebe bebe
dog puppy perro hund chien chienne
cat kitten gato katze kater chat chatte
pet mascota haustier
house casa haus maison
home hogar casa zuhause
apartment flat piso apartamento departamento wohnung appartement logement
kitchen cocina kuche cuisine
bathroom bano badezimmer bad
bedroom dormitorio habitacion schlafzimmer chambre
garden yard jardin garten jardin
address direccion adresse anschrift
city ciudad stadt ville
town pueblo dorf village
country pais land pays
street calle strasse rue
beach playa strand plage
mountain montana berg montagne
car coche carro auto auto wagen fahrzeug voiture
bike bicycle bici bicicleta fahrrad rad velo
motorcycle motorbike moto motocicleta motorrad
train tren zug
flight plane vuelo avion flug flugzeug avion vol
trip travel journey viaje viajar reise voyage
holiday vacation vacaciones urlaub ferien vacances
suitcase luggage maleta equipaje koffer valise
passport pasaporte reisepass pass passeport
ticket billete boleto fahrkarte billet
hotel hotel
airport aeropuerto flughafen aeroport
seat asiento sitz platz siege
job work trabajo empleo profession arbeit beruf stelle travail metier emploi
office oficina buro bureau
school escuela colegio schule ecole
university college universidad universitat universite
company firm empresa compania firma unternehmen entreprise societe
business negocio empresa geschaft
shop store tienda laden magasin boutique
teach teacher ensenar profesor profesora unterrichten lehrer lehrerin enseigner professeur
doctor physician medico doctora arzt arztin medecin docteur
nurse enfermera enfermero krankenschwester pfleger infirmiere infirmier
dentist dentista zahnarzt zahnarztin dentiste
hospital hospital krankenhaus klinik hopital
surgery operation operacion operar cirugia chirurgie
scan resonancia
medicine medication pill medicamento pastilla medicina medikament tablette medicament pilule
allergy allergic alergia alergico alergica allergie allergisch allergique
illness disease sick enfermedad enfermo enferma krankheit krank maladie malade
pain hurt hurts dolor duele doler schmerz schmerzen weh douleur mal
knee rodilla knie genou
back espalda rucken dos
heart corazon herz coeur
insurance seguro versicherung assurance
appointment booking cita reserva termin rendez-vous rendez
meeting reunion besprechung treffen reunion
visit visita visitar besuch besuchen visite
check checkup revision
money dinero geld argent
price cost precio costar cuesta preis kosten kostet prix coute tarif
pay payment pagar pago zahlen bezahlen zahlung payer paiement
cheap barato billig gunstig
expensive caro teuer cher
budget quote presupuesto angebot kostenvoranschlag devis
refund compensation reembolso compensacion erstattung entschadigung remboursement
invoice bill factura rechnung facture
order pedido pedir bestellung bestellen commande commander
code codigo
number numero nummer numero
contract contrato vertrag contrat
claim reclamacion reklamation sinistre
account cuenta konto compte
card tarjeta karte carte
email mail correo mail courriel
phone telephone telefono telefon telefonnummer telephone
mobile cellphone movil celular handy portable
text message mensaje nachricht
letter carta brief lettre courrier
contact reach contactar contacten contacto kontakt erreichen joindre contacter
call llamar llamada anruf anrufen appel appeler
name nombre name heisst nom appelle
language idioma lengua sprache langue
food meal comida essen nourriture
breakfast desayuno fruhstuck dejeuner
lunch almuerzo comida mittagessen
dinner supper cena abendessen diner
meat carne fleisch viande
fish pescado fisch poisson
bread pan brot pain
wheat trigo
vegetarian vegetariano vegetariana vegetarisch vegetarien
coffee cafe kaffee
tea te tee the
wine vino wein vin
water agua wasser eau
cook cocinar kochen cuisiner
eat comer isst manger mange
drink beber tomar trinken trinkt boire
favourite favorite favorito favorita preferido preferida lieblings prefere preferee
prefer preferir prefiere prefiero bevorzugen lieber preferer prefere
like love gusta encanta mogen mag gefallt aimer aime
hate dislike odiar odio hassen detester
buy purchase comprar compra kaufen kauf gekauft acheter achat
sell vender verkaufen vendre
live vivir wohnen wohnt leben lebt habiter habite vivre
move moved mudar mudarse mudado umziehen umgezogen umzug ziehen demenager demenage
marry wedding married boda casarse heiraten hochzeit verheiratet marier mariage
divorce divorcio divorciado divorciada scheidung geschieden
born nacer nacio geboren naissance
die died death morir murio muerte sterben gestorben mourir
learn aprender lernen apprendre
study estudiar studieren studium etudier etudes
write escribir schreiben ecrire
read leer lesen lire
book libro buch livre
film movie pelicula kino
music musica musik musique
guitar guitarra gitarre guitare
violin violin geige violine violon
sing cantar singen chor chanter chorale
dance bailar baile tanzen tanz danser danse
paint painting pintar pintura malen gestrichen peindre peinture
football soccer futbol fussball
swim nadar schwimmen nager natation
run correr laufen courir
play jugar tocar spielen spielt jouer joue
game juego spiel jeu
hobby pastime aficion pasatiempo freizeit loisir
help ayuda ayudar hilfe helfen aide aider
problem trouble issue problema schwierigkeit probleme
noise ruido gerausch larm bruit
broken break roto romper kaputt gebrochen casse
repair fix reparar arreglar reparatur reparieren reparation reparer
lost lose perder perdido verloren perdu
find encontrar finden trouver
wait esperar warten attendre
cancel anular cancelar absagen stornieren kundigen annuler resilier
change cambiar cambio andern anderung wechseln changer changement
return devolver zuruckgeben rendre
deliver delivery entregar entrega liefern lieferung livrer livraison
start begin empezar comenzar anfangen beginn beginnen commencer debut
finish end terminar acabar enden beenden fertig finir terminer
new nuevo nueva neu neue nouveau nouvelle
old viejo vieja antiguo alt alte vieux vieille ancien
big large grande gross grosse grand grande
small little pequeno klein kleine petit petite
happy glad feliz contento contenta glucklich heureux
sad triste traurig triste
afraid scared fear miedo angst peur
tired cansado cansada mude fatigue
red rojo roja rot rouge
blue azul blau bleu
green verde grun grune vert verte
white blanco blanca weiss blanc blanche
black negro negra schwarz noir noire
window ventana fenster fenetre
door puerta tur porte
floor suelo boden etage
roof techo tejado dach toit
pipe tuberia rohr leitung tuyau
boiler caldera heizkessel therme chaudiere
heating calefaccion heizung chauffage
photo photograph foto fotografia bild photo
gift present regalo geschenk cadeau
wheelchair silla rollstuhl fauteuil
nervous anxious nervioso nerviosa nervos nerveux
sleep dormir schlafen dormir
daily diario taglich quotidien
yesterday ayer gestern
today hoy heute
spring primavera fruhling printemps
summer verano sommer ete
autumn otono herbst automne
winter invierno hiver
euro euros dollar dollars pound pounds dolares price cost precio preis kosten prix
discount descuento rabatt remise reduction
free gratis kostenlos gratuit
rent alquiler renta miete loyer
deposit senal kaution anzahlung acompte
surname apellido nachname
age edad alter
colour color farbe couleur
key llave schlussel cle
medal prize premio preis prix
grandchildren nietos enkel enkelkinder
retired retire jubilado jubilada rentner rentnerin retraite
lawyer abogado abogada anwalt anwaltin avocat avocate
waiter waitress camarero camarera kellner kellnerin serveur serveuse
driver conductor chofer fahrer chauffeur
arm brazo bras
leg pierna bein jambe
foot pie fuss pied
hand mano main
head cabeza kopf tete
tooth teeth diente muela zahn zahne dent
eye ojo auge oeil
blood sangre blut sang
fever fiebre fieber fievre
diabetes diabetic diabetico diabetica diabetiker
pregnant embarazada schwanger enceinte
glasses gafas lentes brille lunettes
bag bolso bolsa tasche sac
shoe zapato schuh chaussure
dress vestido kleid robe
ring anillo anneau
watch clock reloj uhr montre
table mesa tisch
chair silla stuhl chaise
bed cama bett lit
wall pared wand mur
lift elevator ascensor aufzug ascenseur
stairs escalera treppe escalier
washing lavadora waschmaschine
fridge nevera frigorifico refrigerador kuhlschrank
light luz licht lumiere
electricity electricidad strom electricite
internet router wifi wlan
plan tariff tarifa tarif forfait vertrag
screen pantalla bildschirm ecran
computer ordenador computadora rechner ordinateur
bank banco banque
transfer transferencia uberweisung virement
debit domiciliacion lastschrift prelevement
cash efectivo bargeld bar especes
promise prometer promete versprechen versprochen promettre promesse
thank gracias danke merci
complain complaint queja beschwerde beschweren plainte
late tarde retraso verspatet verspatung retard
early temprano pronto fruh
weather tiempo wetter
rain lluvia regen pluie
snow nieve schnee neige
tree arbol baum arbre
flower flor blume fleur
horse caballo pferd cheval
bird pajaro vogel oiseau
hen chicken gallina pollo huhn hahnchen poulet
milk leche milch lait
egg huevo ei oeuf
cheese queso kase fromage
nut nuez nueces nuss nusse noix
cake tarta pastel kuchen torte gateau
sugar azucar zucker sucre
restaurant restaurante gaststatte
piano klavier
museum museo musee
church iglesia kirche eglise
party fiesta feier fete
team equipo mannschaft equipe
class course clase curso kurs unterricht cours
exam examen prufung
test prueba
degree titulo abschluss diplome
war guerra krieg guerre
police policia polizei
accident accidente unfall
brake freno bremse frein
tyre tire rueda neumatico reifen pneu
engine motor moteur
oil aceite ol huile
weekend wochenende
hour hora stunde heure
minute minuto
evening noche abend soir
noon mediodia mittag midi
"""


@lru_cache(maxsize=1)
def _kin() -> dict[str, tuple[str, ...]]:
    table: dict[str, dict[str, None]] = {}
    for line in _GROUPS.split("\n"):
        group = dict.fromkeys(stem(word) for word in line.split())
        for word in group:
            table.setdefault(word, {}).update((other, None) for other in group if other != word)
    return {word: tuple(others) for word, others in table.items()}


def kin(stemmed: str) -> tuple[str, ...]:
    """Stems that mean the same as this one; none for most words."""
    return _kin().get(stemmed, ())
